import type { Socket } from "node:net";
import { encodeRefuse, type Refuse } from "@apm-daemon/protocol";
import { writePast } from "./write-past.ts";

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

/** The same without waiting for the peer: for a flood of them, which would hold all descriptors. */
export function refuseAtOnce(socket: Socket, refusal: Refuse): void {
  writePast(socket, encodeRefuse(refusal));
  socket.destroy();
}
