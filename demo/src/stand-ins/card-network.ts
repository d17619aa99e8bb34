import { createServer, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { listenOnLoopback } from "./usual-port.ts";

const TAKES_MS = [25, 110] as const;
const DECLINED_RATIO = 0.03;
const FAILED_RATIO = 0.03;
/** Longer than the payment service waits. */
const HANGING = { ratio: 0.02, takesMs: 1_500 } as const;

/** Somebody else's service, which no agent sees: it authorises payments, most of the time. */
export class CardNetwork {
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      request.resume();
      void judge().then((status) => response.writeHead(status).end());
    });
  }

  /** Its address, at the usual port where that is free. */
  async listen(usualPort: number): Promise<string> {
    return `http://127.0.0.1:${await listenOnLoopback(this.#server, usualPort)}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function judge(): Promise<number> {
  const [low, high] = TAKES_MS;
  await sleep(Math.random() < HANGING.ratio ? HANGING.takesMs : low + Math.random() * (high - low));
  const luck = Math.random();
  if (luck < FAILED_RATIO) return 503;
  return luck < FAILED_RATIO + DECLINED_RATIO ? 402 : 201;
}
