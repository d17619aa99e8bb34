import { readProcessCommand } from "./process-command.ts";
import type { KnownProcess } from "./process-table.ts";

/** Commands of processes, each read once for as long as the process keeps its name: a program that starts another gets its name. */
export class CommandMemory {
  readonly #procRoot: string;
  readonly #known: WeakMap<KnownProcess, { name: string; command: string }> = new WeakMap();

  constructor(procRoot: string) {
    this.#procRoot = procRoot;
  }

  of(process: KnownProcess): string {
    const { pid, name } = process;
    const known = this.#known.get(process);
    if (known?.name === name) return known.command;
    const command = readProcessCommand(this.#procRoot, pid, name);
    this.#known.set(process, { name, command });
    return command;
  }
}
