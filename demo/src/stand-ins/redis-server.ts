import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { CacheKeys } from "./cache-keys.ts";
import { LoopbackServer } from "./loopback-server.ts";
import { bulk, type Reply, RespReader, respError } from "./resp.ts";

/** Commands that come together wait together, as they would for a network. */
const NETWORK_MS = 0.5;

/** Listens as a Redis server that knows the commands of the demo's apps and nothing else; it speaks RESP2 and RESP3. */
export function redisServer(): LoopbackServer {
  const keys = new CacheKeys(() => performance.now());
  return new LoopbackServer(async (socket) => {
    const session = new Session(socket, keys);
    const reader = new RespReader();
    for await (const chunk of socket) {
      const commands = [...reader.read(chunk as Buffer)];
      await sleep(NETWORK_MS);
      for (const command of commands) session.take(command);
    }
  });
}

class Session {
  readonly #socket: Socket;
  readonly #keys: CacheKeys;
  #isResp3 = false;

  constructor(socket: Socket, keys: CacheKeys) {
    this.#socket = socket;
    this.#keys = keys;
  }

  take([name = "", ...args]: readonly string[]): void {
    this.#socket.write(this.#reply(name.toUpperCase(), args));
  }

  #reply(name: string, args: readonly string[]): Reply {
    const [key = "", value = ""] = args;
    switch (name) {
      case "HELLO":
        this.#isResp3 = key === "3";
        return this.#greeting();
      case "CLIENT":
        return key.toUpperCase() === "SETINFO" ? "+OK\r\n" : respError(`unknown subcommand '${key}'`);
      case "PING":
        return "+PONG\r\n";
      case "GET":
        return this.#bulkOrNull(this.#keys.get(key));
      case "SET":
        this.#keys.set(key, value, expiryMs(args.slice(2)));
        return "+OK\r\n";
      case "LPUSH":
        return `:${this.#keys.push(key, value)}\r\n`;
      case "RPOP":
        return this.#bulkOrNull(this.#keys.pop(key));
      default:
        return respError(`the demo's stand-in for Redis does not know '${name}'`);
    }
  }

  #greeting(): Reply {
    const fields = [bulk("server"), bulk("redis"), bulk("version"), bulk("8.0.0"), bulk("proto")];
    return [this.#isResp3 ? "%3\r\n" : "*6\r\n", ...fields, `:${this.#isResp3 ? 3 : 2}\r\n`].join("");
  }

  #bulkOrNull(value: string | null): Reply {
    if (value !== null) return bulk(value);
    return this.#isResp3 ? "_\r\n" : "$-1\r\n";
  }
}

/** Of SET's options only EX. */
function expiryMs([option = "", seconds = ""]: readonly string[]): number {
  return option.toUpperCase() === "EX" ? Number(seconds) * 1_000 : Number.POSITIVE_INFINITY;
}
