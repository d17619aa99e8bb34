import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { AgentLog } from "../agent-log.ts";

// A patched method is called with whatever its callers give.
export type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Gives a wrapper the name and the length of what it stands for. */
export function looksLike(wrapper: Method, original: Method): Method {
  Object.defineProperty(wrapper, "name", { value: original.name, configurable: true });
  Object.defineProperty(wrapper, "length", { value: original.length, configurable: true });
  return wrapper;
}

/** Everything the agent changed in the process, so that stop() can undo it. */
export class Patches {
  readonly #log: AgentLog;
  readonly #undo: (() => void)[] = [];

  constructor(log: AgentLog) {
    this.#log = log;
  }

  /** Replaces a method by what `make` makes of it; without such a method nothing happens. */
  wrap(target: object, name: string, make: (original: Method) => Method): void {
    const methods = target as Record<string, unknown>;
    const original = methods[name];
    if (typeof original !== "function") return;
    const own = Object.getOwnPropertyDescriptor(target, name);
    const wrapped = looksLike(make(original as Method), original as Method);
    Object.defineProperty(target, name, {
      value: wrapped,
      writable: true,
      configurable: true,
      enumerable: own?.enumerable ?? false,
    });
    this.#undo.push(() => {
      if (methods[name] !== wrapped) return; // Somebody patched it after us: ours stays below, and idle.
      if (own === undefined) delete methods[name];
      else Object.defineProperty(target, name, own);
    });
  }

  /**
   * The listener declares what the channel's messages look like. What it throws stays here: Node would make an
   * uncaught exception of it.
   */
  subscribe(channel: string, listener: (message: never) => void): void {
    const onMessage = (message: unknown): void => {
      try {
        listener(message as never);
      } catch (error) {
        this.#log.internalError(channel, error);
      }
    };
    subscribe(channel, onMessage);
    this.#undo.push(() => unsubscribe(channel, onMessage));
  }

  onUndo(undo: () => void): void {
    this.#undo.push(undo);
  }

  undo(): void {
    for (const undo of this.#undo.splice(0).toReversed()) undo();
  }
}
