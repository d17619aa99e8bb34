import { fileURLToPath } from "node:url";
import type { Cleanup } from "./cleanup.ts";
import { Program } from "./program.ts";

/** What the paced app says at the end of a pace; bytes are the most that there were at any time. */
export interface PaceReport {
  /** Spans since its start. */
  made: number;
  /** Of these, those that the agent says it dropped. */
  dropped: number;
  bufferBytes: number;
  writableLength: number;
  arrayBuffers: number;
  rssBytes: number;
  loopDelayP99Ms: number;
  cpuMs: number;
}

const FOLDER = fileURLToPath(new URL("../../apps/paced/", import.meta.url));

/** An app that makes spans at a steady rate and answers HTTP beside it. Without a socket it runs without the agent. */
export class PacedApp {
  readonly program: Program;
  readonly url: string;
  #reports = 0;

  private constructor(program: Program, url: string) {
    this.program = program;
    this.url = url;
  }

  static async start(
    cleanup: Cleanup,
    options: { socket: string | null; name: string; textChars: number },
  ): Promise<PacedApp> {
    const agent = options.socket === null ? [] : ["--import", "@apm-daemon/agent/register"];
    const program = new Program({
      name: `paced ${options.name}`,
      command: process.execPath,
      args: ["--import", `${FOLDER}watch-sockets.js`, ...agent, `${FOLDER}app.js`],
      cwd: FOLDER,
      env: {
        APM_SOCKET: options.socket ?? "",
        APM_APP_NAME: options.name,
        APM_LOG: "off",
        APM_OVERHEAD_BUDGET: "0",
        TEXT_CHARS: String(options.textChars),
      },
      stdin: "pipe",
    });
    cleanup.add(async () => {
      await program.stop("SIGKILL");
    });
    const [, url = ""] = await program.waitForOutput(/listening on (http:\S+)/, 30_000);
    return new PacedApp(program, url);
  }

  /** Makes `rate` spans a second for some seconds; what a busy machine delays is made up for. */
  async pace(rate: number, seconds: number): Promise<PaceReport> {
    this.program.write(`pace ${rate} ${seconds}\n`);
    const nth = ++this.#reports;
    const pattern = new RegExp(
      `(?:^|\\n)(?:[^{\\n]*\\n)*(?:\\{[^\\n]*\\n(?:[^{\\n]*\\n)*){${nth - 1}}(\\{[^\\n]*\\})\\n`,
    );
    const [, line = ""] = await this.program.waitForOutput(pattern, 1_000 * seconds + 60_000);
    return JSON.parse(line) as PaceReport;
  }

  async end(): Promise<void> {
    this.program.write("end\n");
    await this.program.ended;
  }
}
