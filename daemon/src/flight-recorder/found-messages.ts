import type { FoundPart, UplinkFound, UplinkWant } from "@apm-daemon/protocol";
import type { StatementTexts } from "../traces/span-statements.ts";
import type { RingAnswer } from "./ring-search.ts";

/** Who searches the ring. */
export interface TraceFinder {
  find(traceIds: readonly string[], deadlineMs: number, statementTexts: StatementTexts): Promise<RingAnswer>;
}

const MAX_DEADLINE_MS = 60_000;
/** Half of what a message may have: its other fields must fit too, and batches must get through between two of them. */
const MESSAGE_BYTES = 4_194_304;

/** Answers a collector's question with the messages to send. */
export async function foundMessages(
  recorder: TraceFinder,
  want: UplinkWant,
  statementTexts: StatementTexts,
): Promise<UplinkFound[]> {
  const deadlineMs = Math.min(want.deadlineMs, MAX_DEADLINE_MS);
  const { parts, ...about } = await recorder.find(want.traceIds, deadlineMs, statementTexts);
  const groups = groupedBySize(
    parts.map(({ summary, frame }) => ({ summary, frame: Buffer.from(frame).toString("base64") })),
  );
  return groups.map((group, i) => ({
    type: "found",
    id: want.id,
    parts: group,
    hasMore: i < groups.length - 1,
    ...about,
  }));
}

/** One group at least, be it empty. */
function groupedBySize(parts: readonly FoundPart[]): FoundPart[][] {
  let group: FoundPart[] = [];
  let bytes = 0;
  const groups = [group];
  for (const part of parts) {
    const partBytes = JSON.stringify(part).length;
    if (group.length > 0 && bytes + partBytes > MESSAGE_BYTES) {
      group = [];
      bytes = 0;
      groups.push(group);
    }
    group.push(part);
    bytes += partBytes;
  }
  return groups;
}
