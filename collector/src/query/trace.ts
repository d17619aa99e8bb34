import { type WholeTraceAnswer, wholeTraceAnswer } from "@apm-daemon/protocol";
import type { Store } from "../store/store.ts";
import { NotFound } from "./not-found.ts";

/** All that any host kept of a trace. */
export async function trace(store: Store, traceId: string): Promise<WholeTraceAnswer> {
  const [first, ...others] = await store.traces.parts(traceId);
  if (!first) throw new NotFound(`no host kept the trace ${traceId}`);
  return wholeTraceAnswer(traceId, [first, ...others]);
}
