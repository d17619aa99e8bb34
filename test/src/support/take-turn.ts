import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cleanup } from "./cleanup.ts";

/**
 * Names in Linux's abstract namespace, three for each checkout: each belongs to one process at a time and is free as soon as
 * that has ended. Cut to what an address may hold.
 */
const NAMES: readonly string[] = ["a", "b", "c"].map((slot) =>
  `\0apm-daemon-whole-system-test-${slot} ${import.meta.dirname}`.slice(0, 100),
);
const POLL_MS = 200;

/**
 * Waits until at most two other whole-system tests of this checkout run: most of them mostly wait.
 * The turn ends at clean-up, or with this process.
 */
export async function takeTurn(cleanup: Cleanup): Promise<void> {
  if (process.platform !== "linux") return;
  let server = await takeOne();
  while (server === null) {
    await sleep(POLL_MS);
    server = await takeOne();
  }
  const holder = server;
  cleanup.add(async () => {
    holder.close();
    await once(holder, "close");
  });
}

async function takeOne(): Promise<Server | null> {
  for (const name of NAMES) {
    const server = await tryToListen(name);
    if (server !== null) return server;
  }
  return null;
}

async function tryToListen(name: string): Promise<Server | null> {
  const server = createServer();
  server.listen(name);
  try {
    await once(server, "listening");
    return server;
  } catch {
    return null;
  }
}
