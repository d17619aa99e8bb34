import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Cleanup } from "./cleanup.ts";
import { findProgram } from "./parts.ts";
import { Program } from "./program.ts";

/** strace on a running process: what it calls is written to a file, and calls can be made to fail. */
export class Strace {
  readonly #program: Program;
  readonly #logFile: string;

  private constructor(program: Program, logFile: string) {
    this.#program = program;
    this.#logFile = logFile;
  }

  /** Attaches to a process and its threads; resolves when their calls are seen. */
  static async attach(cleanup: Cleanup, pid: number, args: readonly string[]): Promise<Strace> {
    const logFile = join(cleanup.tempDir(), "strace.log");
    const program = new Program({
      name: "strace",
      command: findProgram("strace") ?? "strace",
      args: ["-f", "-o", logFile, ...args, "-p", String(pid)],
    });
    cleanup.add(async () => {
      await program.stop("SIGINT");
    });
    await program.waitForOutput(/ attached/);
    return new Strace(program, logFile);
  }

  /** Lets go of the process, which goes on. */
  async detach(): Promise<void> {
    await this.#program.stop("SIGINT");
  }

  /** Lines so far: "PID call(arguments) = result"; a call that another thread interrupted in the log is put together. */
  lines(): string[] {
    const begun = new Map<string, string>();
    return readFileSync(this.#logFile, "utf8")
      .split("\n")
      .flatMap((line) => {
        const pid = line.split(" ", 1)[0] ?? "";
        const unfinished = / <unfinished \.\.\.>$/.exec(line);
        if (unfinished !== null) {
          begun.set(pid, line.slice(0, unfinished.index));
          return [];
        }
        const resumed = /^\d+ +<\.\.\. \w+ resumed>/.exec(line);
        return [resumed === null ? line : `${begun.get(pid) ?? ""}${line.slice(resumed[0].length)}`];
      });
  }
}
