import type { EventEmitter } from "node:events";
import type { DefaultPlaces } from "./config/default-places.ts";

/** Where a command writes; `isTTY` and the sizes are those of a terminal, absent for files and pipes. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** What the user types; a terminal gives each key at once after `setRawMode(true)`. */
export interface Input {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
  on(event: "data", listener: (bytes: Uint8Array) => void): unknown;
  off(event: "data", listener: (bytes: Uint8Array) => void): unknown;
  once(event: "end", listener: () => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** The channel to `apm up`, for a part that was started by it. */
export interface ParentChannel {
  send(message: unknown): void;
  onGone(listener: () => void): void;
}

/** All that a command may know of its process; main.ts makes it. */
export interface CliContext {
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly isRoot: boolean;
  readonly places: DefaultPlaces;
  /** The built main.js, to start parts of this program as processes of their own. */
  readonly mainFile: string;
  /** Folder of the console's built pages. */
  readonly consoleDir: string;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Whether the terminal itself sends Ctrl-C to the whole process group. */
  readonly hasTerminal: boolean;
  readonly signals: Pick<EventEmitter, "on" | "off">;
  readonly parent: ParentChannel | null;
  /** Sets the exit code of the process. */
  finish(exitCode: number): void;
  /** Ends the process now, without waiting for anything. */
  exitAtOnce(exitCode: number): void;
  /** Ends the process now, also while a system call of it hangs. */
  killAtOnce(): void;
}
