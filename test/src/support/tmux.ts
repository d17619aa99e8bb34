import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Cleanup } from "./cleanup.ts";
import { eventually } from "./eventually.ts";

const run = promisify(execFile);
const END_DEADLINE_MS = 30_000;

/** A real terminal without a person in front of it: what it shows, how it is set, and keys to type. */
export class Tmux {
  readonly #socket: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#socket = join(folder, "tmux.sock");
  }

  /** Runs a command in a terminal of that size, which stays when the command has ended. */
  static async start(
    cleanup: Cleanup,
    command: readonly string[],
    { columns, rows }: { columns: number; rows: number },
  ): Promise<Tmux> {
    const tmux = new Tmux(cleanup.tempDir());
    const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    const own = `sh -c 'echo $$ > pid; exec "$@"' sh ${quoted}`;
    const script = `stty -a > before; ${own}; echo "ended with $?"; stty -a > after; touch done; sleep 600`;
    const size = ["-x", String(columns), "-y", String(rows)];
    cleanup.add(async () => {
      await tmux.#tmux("kill-server").catch(() => undefined);
    });
    await tmux.#tmux("new-session", "-d", "-s", "test", ...size, "-c", tmux.#folder, "sh", "-c", script);
    return tmux;
  }

  /** What stands on the screen. */
  async screen(): Promise<string> {
    return await this.#tmux("capture-pane", "-p", "-t", "test");
  }

  /** Types keys as tmux names them: "q", "Tab", "C-c", "Down". */
  async type(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", "-t", "test", ...keys);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-t", "test", "-x", String(columns), "-y", String(rows));
  }

  /** Of the command. */
  get pid(): number {
    return Number(readFileSync(join(this.#folder, "pid"), "utf8"));
  }

  /** Waits until the command has ended; what then stands on the screen, and whether the terminal is as it was before. */
  async end(): Promise<{ screen: string; isAsBefore: boolean }> {
    await eventually("the command has ended", END_DEADLINE_MS, async () => {
      if (!existsSync(join(this.#folder, "done"))) throw new Error(await this.screen());
    });
    const settings = (name: string): string => readFileSync(join(this.#folder, name), "utf8");
    const state = await this.#tmux(
      "display-message",
      "-p",
      "-t",
      "test",
      "#{alternate_on} #{cursor_flag} #{wrap_flag}",
    );
    return {
      screen: await this.screen(),
      isAsBefore:
        state.trim() === "0 1 1" && withoutSize(settings("before")) === withoutSize(settings("after")),
    };
  }

  async #tmux(...args: string[]): Promise<string> {
    // -u: whatever the locale says, the terminal knows UTF-8.
    const { stdout } = await run("tmux", ["-u", "-S", this.#socket, "-f", "/dev/null", ...args]);
    return stdout;
  }
}

function withoutSize(settings: string): string {
  return settings.replace(/rows \d+; columns \d+;/, "");
}
