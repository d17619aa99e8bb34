export type ApdexZone = "satisfied" | "tolerating" | "frustrated";

/** Zone of one request: satisfied up to T, tolerating up to 4T; a server error frustrates whatever its speed. */
export function apdexZone(durationUs: number, error: boolean, thresholdUs: number): ApdexZone {
  if (error || durationUs > 4 * thresholdUs) return "frustrated";
  return durationUs <= thresholdUs ? "satisfied" : "tolerating";
}

/** (satisfied + tolerating / 2) / total, 0..1 (Apdex Alliance, Technical Specification 1.1); null without requests. */
export function apdexScore(satisfied: number, tolerating: number, frustrated: number): number | null {
  const total = satisfied + tolerating + frustrated;
  return total === 0 ? null : (satisfied + tolerating / 2) / total;
}
