import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Another package's program: it knows how to start each server. */
const SERVE = fileURLToPath(new URL("../../../test/dist/support/serve-databases.js", import.meta.url));

type DatabaseName = "postgresql" | "mariadb" | "redis" | "redis-cluster" | "memcached" | "kafka";

interface Answer {
  urls?: Record<string, string>;
  missing?: string[];
}

/** Real servers with a little data, on loopback, each in a temp folder of its own. */
export class DatabaseServers {
  readonly #child: ChildProcess;
  readonly #urls: Record<string, string>;
  /** What node:test wants as `skip`: false when all could be started, else the reason. */
  readonly skip: string | false;

  private constructor(child: ChildProcess, answer: Answer) {
    this.#child = child;
    this.#urls = answer.urls ?? {};
    this.skip = answer.missing === undefined ? false : `not installed: ${answer.missing.join(", ")}`;
  }

  static async start(...names: DatabaseName[]): Promise<DatabaseServers> {
    const child = spawn(process.execPath, [SERVE, ...names], { stdio: ["pipe", "pipe", "inherit"] });
    let printed = "";
    for await (const chunk of child.stdout) {
      printed += String(chunk);
      if (printed.includes("\n")) return new DatabaseServers(child, JSON.parse(printed) as Answer);
    }
    throw new Error("the servers of the test did not start");
  }

  url(name: DatabaseName): URL {
    return new URL(this.#urls[name] ?? "");
  }

  async stop(): Promise<void> {
    const hasEnded = this.#child.exitCode !== null;
    this.#child.stdin?.end();
    if (!hasEnded) await once(this.#child, "exit");
  }
}
