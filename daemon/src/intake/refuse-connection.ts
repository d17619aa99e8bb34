import type { Socket } from "node:net";
import { encodeRefuse, type Refuse } from "@apm-daemon/protocol";

/** A peer that does not read its refusal must not hold the descriptor, nor the daemon's stop. */
const READ_WITHIN_MS = 1_000;

/** Ends a connection with a REFUSE; what the peer still sends is passed over. */
export function refuseConnection(socket: Socket, refusal: Refuse): void {
  const deadline = setTimeout(() => socket.destroy(), READ_WITHIN_MS);
  socket.once("close", () => clearTimeout(deadline));
  // Without reading, the peer's end of the connection would not be noticed.
  socket.resume();
  socket.end(encodeRefuse(refusal));
}
