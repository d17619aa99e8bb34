import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cleanup } from "./cleanup.ts";
import { eventually } from "./eventually.ts";
import { findProgram } from "./parts.ts";
import { Program } from "./program.ts";

/** Before those that a user's version manager puts in front of it, which take a second to start. */
const SYSTEM_PYTHON = "/usr/bin/python3";

/** Prints each datagram as a line of JSON; a descriptor that comes with one is closed, as systemd does. */
const RECEIVER = `
import json, socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print("bound", flush=True)
while True:
    print(json.dumps(receiver.recv(65536).decode()), flush=True)
`;

/** The service manager's side of sd_notify(3): a real datagram socket, which Node itself cannot open. */
export class NotifySocket {
  readonly path: string;
  readonly #receiver: Program;

  private constructor(path: string, receiver: Program) {
    this.path = path;
    this.#receiver = receiver;
  }

  static async open(cleanup: Cleanup): Promise<NotifySocket> {
    const path = join(cleanup.tempDir(), "notify");
    const receiver = new Program({
      name: "receiver",
      command: existsSync(SYSTEM_PYTHON) ? SYSTEM_PYTHON : (findProgram("python3") ?? "python3"),
      args: ["-c", RECEIVER, path],
    });
    cleanup.add(() => receiver.kill());
    await receiver.waitForOutput(/^bound$/m);
    return new NotifySocket(path, receiver);
  }

  /** All messages so far, each a list of assignments; barriers, which only the sender waits for, left out. */
  get messages(): string[][] {
    return this.#receiver.stdout
      .split("\n")
      .filter((line) => line.startsWith('"'))
      .map((line) => (JSON.parse(line) as string).trim().split("\n"))
      .filter((lines) => !lines.includes("BARRIER=1"));
  }

  get pings(): number {
    return this.messages.filter((lines) => lines.includes("WATCHDOG=1")).length;
  }

  /** Waits until signs of life come, `count` more of them than before. */
  async waitForPings(count: number): Promise<void> {
    const wanted = this.pings + count;
    await eventually("the daemon gives signs of life", 30_000, () => {
      if (this.pings < wanted) throw new Error(`so far: ${JSON.stringify(this.messages.slice(-5))}`);
    });
  }

  /** Waits until no sign of life has come for a whole `watchdogMs`: systemd would restart the daemon now. */
  async waitForSilence(watchdogMs: number): Promise<void> {
    await eventually("the daemon falls silent", 30_000, async () => {
      const before = this.pings;
      await sleep(watchdogMs);
      if (this.pings > before) throw new Error(`${this.pings - before} signs of life in ${watchdogMs} ms`);
    });
  }
}
