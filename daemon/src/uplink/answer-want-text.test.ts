import assert from "node:assert/strict";
import { test } from "node:test";
import type { UplinkMessage } from "@apm-daemon/protocol";
import type { WebSocket } from "ws";
import { answerWantText } from "./answer-want-text.ts";

const WANT: UplinkMessage = { type: "want_text", id: 4, fingerprint: "0011223344556677" };

/** The one edge of this function: what it sends, and whether it may. */
function socket(readyState: number): { sent: unknown[]; socket: WebSocket } {
  const sent: unknown[] = [];
  const fake = { OPEN: 1, readyState, send: (text: string) => sent.push(JSON.parse(text)) };
  return { sent, socket: fake as unknown as WebSocket };
}

test("tells the text that it knows, and that it knows none", () => {
  const { sent, socket: open } = socket(1);
  answerWantText(open, WANT, (fingerprint) => `text of ${fingerprint}`);
  answerWantText(open, WANT, () => "");
  assert.deepEqual(sent, [
    { type: "text", id: 4, text: "text of 0011223344556677" },
    { type: "text", id: 4, text: "" },
  ]);
});

test("says nothing to what is no question, over a connection that closes, or without a memory", () => {
  const { sent, socket: open } = socket(1);
  answerWantText(open, { ...WANT, fingerprint: "../x" }, () => "text");
  answerWantText(open, WANT, undefined);
  const closing = socket(2);
  answerWantText(closing.socket, WANT, () => "text");
  assert.deepEqual([...sent, ...closing.sent], []);
});
