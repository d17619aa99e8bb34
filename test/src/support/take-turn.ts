import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cleanup } from "./cleanup.ts";

/**
 * A name in Linux's abstract namespace, one for each checkout: it belongs to one process at a time and is free as soon as
 * that has ended. Cut to what an address may hold.
 */
const NAME: string = `\0apm-daemon-whole-system-test ${import.meta.dirname}`.slice(0, 100);
const POLL_MS = 200;

/**
 * Waits until no other whole-system test of this checkout runs: each wants both cores for itself.
 * The turn ends at clean-up, or with this process.
 */
export async function takeTurn(cleanup: Cleanup): Promise<void> {
  if (process.platform !== "linux") return;
  let server = await tryToListen();
  while (server === null) {
    await sleep(POLL_MS);
    server = await tryToListen();
  }
  const holder = server;
  cleanup.add(async () => {
    holder.close();
    await once(holder, "close");
  });
}

async function tryToListen(): Promise<Server | null> {
  const server = createServer();
  server.listen(NAME);
  try {
    await once(server, "listening");
    return server;
  } catch {
    return null;
  }
}
