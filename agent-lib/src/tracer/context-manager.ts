import type { AsyncLocalStorage } from "node:async_hooks";
import { EventEmitter } from "node:events";
import type { Context, ContextManager } from "@opentelemetry/api";
import { bindEmitter } from "./bind-emitter.ts";
import { EMPTY_CONTEXT } from "./empty-context.ts";

type Callback = (...args: unknown[]) => unknown;

/** OpenTelemetry's context over one AsyncLocalStorage. */
export class StorageContextManager implements ContextManager {
  readonly #storage: AsyncLocalStorage<Context>;

  constructor(storage: AsyncLocalStorage<Context>) {
    this.#storage = storage;
  }

  active(): Context {
    return this.#storage.getStore() ?? EMPTY_CONTEXT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return thisArg === undefined
      ? this.#storage.run(context, fn, ...args)
      : this.#storage.run(context, () => fn.apply(thisArg, args));
  }

  /** A function that runs in the context; of an emitter, its listeners added from now on do. */
  bind<T>(context: Context, target: T): T {
    if (target instanceof EventEmitter) {
      bindEmitter(this.#storage, context, target);
      return target;
    }
    if (typeof target !== "function") return target;
    return this.#bindFunction(context, target as unknown as Callback) as T;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    this.#storage.disable();
    return this;
  }

  #bindFunction(context: Context, fn: Callback): Callback {
    const storage = this.#storage;
    const bound = function (this: unknown, ...args: unknown[]): unknown {
      return storage.run(context, () => fn.apply(this, args));
    };
    Object.defineProperty(bound, "length", { value: fn.length, configurable: true });
    return bound;
  }
}
