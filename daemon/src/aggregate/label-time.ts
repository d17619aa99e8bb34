/** Span times further than this from the frame's receipt are a broken clock's: the receipt's time labels them. */
const MAX_CLOCK_SKEW_US = 3_600_000_000;

/** The time in µs under which a span is counted: its own if the clock of its process can be right. */
export function labelUs(unixUs: number, receivedUnixMs: number): number {
  return Math.abs(unixUs - receivedUnixMs * 1_000) <= MAX_CLOCK_SKEW_US ? unixUs : receivedUnixMs * 1_000;
}
