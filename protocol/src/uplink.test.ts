import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_WANTED_TRACES } from "./limits.ts";
import { parseWant, parseWantText } from "./uplink.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const want = { type: "want", id: 1, traceIds: [TRACE], deadlineMs: 1_000 };

test("a want has a number, one to sixteen trace ids and a deadline; a newer one may have more fields", () => {
  assert.deepEqual(parseWant({ ...want, colour: "red" }), { ...want, colour: "red" });
  const most = { ...want, traceIds: Array.from({ length: MAX_WANTED_TRACES }, () => TRACE) };
  assert.deepEqual(parseWant(most), most);
});

test("what is no want is none", () => {
  const wrong: unknown[] = [
    null,
    "want",
    {},
    { ...want, type: "found" },
    { ...want, id: "1" },
    { ...want, id: 0.5 },
    { ...want, traceIds: TRACE },
    { ...want, traceIds: [] },
    { ...want, traceIds: [TRACE.toUpperCase()] },
    { ...want, traceIds: [TRACE, 7] },
    { ...want, traceIds: [`${TRACE}\n`] },
    { ...want, traceIds: Array.from({ length: MAX_WANTED_TRACES + 1 }, () => TRACE) },
    { ...want, deadlineMs: 0 },
    { ...want, deadlineMs: "soon" },
    { ...want, deadlineMs: Number.NaN },
  ];
  for (const message of wrong) assert.equal(parseWant(message), null, JSON.stringify(message));
});

test("a question for a text has a number and a fingerprint", () => {
  const wantText = { type: "want_text", id: 1, fingerprint: "0011223344556677" };
  assert.deepEqual(parseWantText({ ...wantText, colour: "red" }), { ...wantText, colour: "red" });
  for (const other of [
    null,
    "want_text",
    { ...wantText, type: "want" },
    { ...wantText, id: 0.5 },
    { ...wantText, fingerprint: "" },
    { ...wantText, fingerprint: "001122334455667G" },
    { ...wantText, fingerprint: ["0011223344556677"] },
    { ...wantText, fingerprint: "0011223344556677\n" },
  ])
    assert.equal(parseWantText(other), null, JSON.stringify(other));
});
