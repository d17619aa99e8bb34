import { AsyncLocalStorage } from "node:async_hooks";

const asker = new AsyncLocalStorage<AbortSignal>();

/** Runs a call in the name of somebody: when he leaves, the queries that it makes are given up. */
export function askedBy<T>(left: AbortSignal, run: () => T): T {
  return asker.run(left, run);
}

/** Runs a call whose answer is for others too: who asks first may leave. */
export function askedByNobody<T>(run: () => T): T {
  return asker.exit(run);
}

/** Aborts when nobody waits for the present call any more; undefined when it is nobody's in particular. */
export function askerLeft(): AbortSignal | undefined {
  return asker.getStore();
}
