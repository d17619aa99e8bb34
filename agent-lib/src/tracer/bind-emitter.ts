import type { AsyncLocalStorage } from "node:async_hooks";
import type { EventEmitter } from "node:events";
import type { Context } from "@opentelemetry/api";

/** Runs an emitter's listeners in a context. Binding emit binds all of them, and off() keeps finding them. */
export function bindEmitter(
  storage: AsyncLocalStorage<Context>,
  context: Context,
  emitter: Pick<EventEmitter, "emit">,
): void {
  const emit = emitter.emit.bind(emitter);
  emitter.emit = (...args: Parameters<typeof emit>): boolean => storage.run(context, () => emit(...args));
}
