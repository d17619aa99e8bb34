import {
  MAX_UPLINK_MESSAGE_BYTES,
  parseWant,
  type UplinkFound,
  type UplinkMessage,
  type UplinkWant,
} from "@apm-daemon/protocol";
import type { Logger } from "pino";
import type { WebSocket } from "ws";

/** Answers a question of the collector over the connection on which it came, if that is still there then. Never rejects. */
export async function answerWant(
  socket: WebSocket,
  message: UplinkMessage,
  { find, log }: { find?: (want: UplinkWant) => Promise<UplinkFound[]>; log: Logger },
): Promise<void> {
  const want = parseWant(message);
  if (want === null)
    log.warn(
      "the collector asked for traces in a way that this daemon does not understand: are both of one release?",
    );
  if (want === null || find === undefined) return;
  // Answers that the connection does not take must not pile up here.
  const isFull = socket.bufferedAmount > MAX_UPLINK_MESSAGE_BYTES;
  for (const found of isFull ? [busyAnswer(want.id)] : await find(want))
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(found));
}

function busyAnswer(id: number): UplinkFound {
  return { type: "found", id, parts: [], hasMore: false, oldestUnixMs: null, gap: "busy" };
}
