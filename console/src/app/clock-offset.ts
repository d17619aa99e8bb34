/**
 * How far a clock is ahead of this one, in ms, by Cristian's method: it was read somewhere between question and answer, in the middle at
 * best. 0 when the time on the way alone may explain the difference: an answer that came late is no wrong clock.
 */
export function clockOffset(readMs: number, askedMs: number, answeredMs: number): number {
  const least = readMs - answeredMs;
  const most = readMs - askedMs;
  return least <= 0 && most >= 0 ? 0 : (least + most) / 2;
}
