import { AsyncLocalStorage } from "node:async_hooks";

interface Asker {
  left: AbortSignal;
  turn: number;
}

const asker = new AsyncLocalStorage<Asker>();
let lastTurn = 0;

/** Runs a call in the name of somebody: when he leaves, the queries that it makes are given up. Who came first has the first turn. */
export function askedBy<T>(left: AbortSignal, run: () => T): T {
  return asker.run({ left, turn: ++lastTurn }, run);
}

/** Runs a call whose answer is for others too: who asks first may leave. */
export function askedByNobody<T>(run: () => T): T {
  return asker.exit(run);
}

/** Aborts when nobody waits for the present call any more; undefined when it is nobody's in particular. */
export function askerLeft(): AbortSignal | undefined {
  return asker.getStore()?.left;
}

/** When it is the present call's turn to be answered: lower numbers before higher ones. 0 when it is nobody's in particular, for which many may wait. */
export function askerTurn(): number {
  return asker.getStore()?.turn ?? 0;
}
