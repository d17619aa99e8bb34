/**
 * The most that each may take when `capacity` is shared: those who want less get what they want, the others the same each
 * (max-min fairness). Infinity when there is enough for all.
 */
export function fairLevel(capacity: number, demands: readonly number[]): number {
  let left = capacity;
  const ascending = demands.toSorted((a, b) => a - b);
  for (const [index, demand] of ascending.entries()) {
    const equal = left / (ascending.length - index);
    if (demand > equal) return equal;
    left -= demand;
  }
  return Number.POSITIVE_INFINITY;
}
