import assert from "node:assert/strict";
import { test } from "node:test";
import { type ActionRow, type Batch, type BatchHeader, encodeBatch } from "@apm-daemon/protocol";
import { STREAM, sampleHeader } from "../testing/sample-header.ts";
import { parentOf, splitBatch, streamOfParts } from "./split-batch.ts";

const row = (action: string): ActionRow => ({ action }) as ActionRow;
const actions = (count: number): ActionRow[] => Array.from({ length: count }, (_, i) => row(`a${i}`));

/** All parts of one row, by splitting on and on. */
function leaves(batch: Batch): Batch[] {
  const halves = splitBatch(batch);
  return halves === null ? [batch] : halves.flatMap(leaves);
}

test("the stream of parts is the name-based UUID that the protocol names", () => {
  const stream = streamOfParts({ stream: STREAM, number: 7 });
  assert.equal(stream, "16a30306-9b30-5e19-bac7-ff32162170a2");
  assert.notEqual(stream, streamOfParts({ stream: STREAM, number: 8 }));
});

test("halves are numbered as a binary tree, repeat what is no row, and share out the rows", () => {
  const header = sampleHeader(7, { actions: actions(5), isContinued: true });
  const halves = splitBatch({ header, frames: [] }) ?? [];
  const partOf = { stream: STREAM, number: 7 };
  const common = { ...header, stream: streamOfParts(partOf), partOf };
  assert.deepEqual(
    halves.map((half) => half.header),
    [
      { ...common, number: 2, actions: actions(5).slice(0, 3) },
      { ...common, number: 3, actions: actions(5).slice(3) },
    ],
  );
  const [, second] = halves;
  const quarters = splitBatch(second as Batch) ?? [];
  assert.deepEqual(
    quarters.map((quarter) => [quarter.header.number, quarter.header.stream, parentOf(quarter.header)]),
    [6, 7].map((number) => [number, common.stream, { stream: common.stream, number: 3 }]),
  );
  assert.deepEqual(parentOf((second as Batch).header), partOf);
  assert.equal(parentOf(header), null);
});

test("every row, host second, trace and field is in exactly one part", () => {
  const trace = (traceId: string): BatchHeader["traces"][number] =>
    ({ traceId }) as BatchHeader["traces"][number];
  const header = {
    ...sampleHeader(1, {
      actions: actions(10),
      hostSeconds: { tsSec: [1, 2, 3], columns: { load1: [0.1, null, 0.3], cpu: [1, 2, 3] } },
      hostSnapshot: { tsSec: 1 } as NonNullable<BatchHeader["hostSnapshot"]>,
      traces: [trace("t0"), trace("t1")],
    }),
    ofANewerDaemon: { x: 1 },
  };
  const frames = [Buffer.from("f0"), Buffer.from("f1")];
  const parts = leaves({ header, frames });
  assert.equal(parts.length, 10 + 3 + 1 + 2 + 1);
  const of = <T>(pick: (part: BatchHeader) => T[]): T[] => parts.flatMap((part) => pick(part.header));
  assert.deepEqual(
    of((part) => part.actions.map(({ action }) => action)),
    actions(10).map(({ action }) => action),
  );
  assert.deepEqual(
    of((part) => part.hostSeconds?.tsSec ?? []),
    [1, 2, 3],
  );
  assert.deepEqual(
    of((part) => part.hostSeconds?.columns["load1"] ?? []),
    [0.1, null, 0.3],
  );
  assert.equal(of((part) => (part.hostSnapshot === null ? [] : [1])).length, 1);
  assert.equal(of((part) => ("ofANewerDaemon" in part ? [1] : [])).length, 1);
  const traces = parts.filter((part) => part.frames.length > 0);
  assert.deepEqual(
    traces.map((part) => [part.header.traces[0]?.traceId, part.frames[0]?.toString()]),
    [
      ["t0", "f0"],
      ["t1", "f1"],
    ],
  );
  assert.equal(new Set(parts.map((part) => part.header.number)).size, parts.length);
});

test("the same batch is always cut into the same bytes", () => {
  const header = sampleHeader(1, { actions: actions(9) });
  const cut = (): string[] =>
    leaves({ header: structuredClone(header), frames: [] }).map((part) =>
      encodeBatch(part, "none").toString("hex"),
    );
  assert.deepEqual(cut(), cut());
});

test("what has one row, or none, cannot be split", () => {
  assert.equal(splitBatch({ header: sampleHeader(1), frames: [] }), null);
  assert.equal(splitBatch({ header: sampleHeader(1, { actions: actions(1) }), frames: [] }), null);
});
