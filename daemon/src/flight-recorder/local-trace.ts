import {
  type AskedHost,
  type FetchedTraceAnswer,
  type TracePart,
  wholeTraceAnswer,
} from "@apm-daemon/protocol";
import type { TraceFinder } from "./found-messages.ts";

/** Who asks waits in front of a terminal; a large ring on a slow disk takes its time. */
const DEADLINE_MS = 10_000;

export type LocalTraceAnswer =
  | { status: 200; body: FetchedTraceAnswer }
  | { status: 404 | 503; body: { error: { code: string; message: string }; hosts: AskedHost[] } };

/** What this host's journal alone has of a trace, statements and all, in the form of the collector's answer. Never rejects. */
export async function localTrace(
  recorder: TraceFinder,
  where: { host: string; clock: { unixMs(): number } },
  traceId: string,
): Promise<LocalTraceAnswer> {
  const { parts, oldestUnixMs, gap } = await recorder.find([traceId], DEADLINE_MS, "shown");
  const [first, ...others] = parts
    .map(({ summary, frame }): TracePart => ({ ...summary, host: where.host, frame }))
    .sort((a, b) => a.startUnixMs - b.startUnixMs);
  const asked = {
    host: where.host,
    spans: parts.reduce((sum, { summary }) => sum + summary.spans, 0),
    oldestUnixMs,
    lastSeenUnixMs: where.clock.unixMs(),
    gap,
  };
  if (first !== undefined) {
    const hosts: AskedHost[] = [{ ...asked, state: "found" }];
    return { status: 200, body: { ...wholeTraceAnswer(traceId, [first, ...others]), hosts } };
  }
  if (gap === "busy") {
    const message = "too many traces are looked for at once; try again in some seconds";
    return { status: 503, body: { error: { code: "BUSY", message }, hosts: [{ ...asked, state: "busy" }] } };
  }
  const message = `the journal of ${where.host} holds no span of the trace ${traceId}`;
  return {
    status: 404,
    body: { error: { code: "NOT_FOUND", message }, hosts: [{ ...asked, state: "nothing" }] },
  };
}
