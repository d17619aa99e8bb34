import { parseWantText, type UplinkMessage, type UplinkText } from "@apm-daemon/protocol";
import type { WebSocket } from "ws";

/** Answers the collector's question for a statement's text. What is no such question is passed over. */
export function answerWantText(
  socket: WebSocket,
  message: UplinkMessage,
  textOf: ((fingerprint: string) => string) | undefined,
): void {
  const want = parseWantText(message);
  if (want === null || textOf === undefined || socket.readyState !== socket.OPEN) return;
  const answer: UplinkText = { type: "text", id: want.id, text: textOf(want.fingerprint) };
  socket.send(JSON.stringify(answer));
}
