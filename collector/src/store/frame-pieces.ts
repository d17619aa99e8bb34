/**
 * Frames of traces, cut for a column store: DuckDB has 2,048 values of a column in memory when it writes a checkpoint. With
 * frames of up to 256 KB in one cell that would be half a gigabyte.
 */
const PIECE_BYTES = 8_192;

/** The frame in order; one piece for most traces, and for an empty frame. */
export function piecesOf(frame: Uint8Array): [first: Uint8Array, ...others: Uint8Array[]] {
  const others: Uint8Array[] = [];
  for (let at = PIECE_BYTES; at < frame.length; at += PIECE_BYTES)
    others.push(frame.subarray(at, at + PIECE_BYTES));
  return [frame.subarray(0, PIECE_BYTES), ...others];
}
