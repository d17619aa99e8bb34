import { fileURLToPath } from "node:url";
import type { Cleanup } from "./cleanup.ts";
import { Program } from "./program.ts";

/** An app that makes spans by the OpenTelemetry API and knows how many, to compare with what arrives. */
export class SpanMaker {
  readonly program: Program;

  private constructor(program: Program) {
    this.program = program;
  }

  /** Starts it under the agent; it makes nothing until told. */
  static async start(
    cleanup: Cleanup,
    options: { socket: string; name: string; env?: Record<string, string> },
  ): Promise<SpanMaker> {
    const folder = fileURLToPath(new URL("../../apps/span-maker/", import.meta.url));
    const program = new Program({
      name: "span-maker",
      command: process.execPath,
      args: ["--import", "@apm-daemon/agent/register", `${folder}app.js`],
      cwd: folder,
      env: {
        ...options.env,
        APM_SOCKET: options.socket,
        APM_APP_NAME: options.name,
        APM_OVERHEAD_BUDGET: "0",
      },
      stdin: "pipe",
    });
    cleanup.add(async () => {
      await program.stop("SIGKILL");
    });
    await program.waitForOutput(/ready/, 30_000);
    return new SpanMaker(program);
  }

  /** Makes requests of two spans each, in one go; resolves with all spans made so far. */
  async make(requests: number): Promise<number> {
    const before = this.#made();
    this.program.write(`make ${requests}\n`);
    await this.program.waitForOutput(new RegExp(`made ${before + 2 * requests}\\b`), 60_000);
    return this.#made();
  }

  /** Ends of its own will. */
  async end(): Promise<void> {
    this.program.write("end\n");
    await this.program.ended;
  }

  #made(): number {
    return Number([...this.program.stdout.matchAll(/made (\d+)/g)].at(-1)?.[1] ?? 0);
  }
}
