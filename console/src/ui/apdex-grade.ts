export type ApdexGrade = "excellent" | "good" | "fair" | "poor" | "unacceptable" | "none";

/** Lower borders of the grades on the score as shown, with two decimals (Apdex Technical Specification 1.1). */
export const APDEX_BORDERS: readonly { grade: ApdexGrade; from: number }[] = [
  { grade: "excellent", from: 0.94 },
  { grade: "good", from: 0.85 },
  { grade: "fair", from: 0.7 },
  { grade: "poor", from: 0.5 },
  { grade: "unacceptable", from: 0 },
];

/** The word for a score; the score is rounded first, so that word and digits never contradict each other. */
export function apdexGrade(score: number | null | undefined): ApdexGrade {
  if (score === null || score === undefined || !Number.isFinite(score)) return "none";
  const shown = Math.round(score * 100) / 100;
  return APDEX_BORDERS.find((border) => shown >= border.from)?.grade ?? "unacceptable";
}

/** The sign that stands beside the word, so that colour is never alone. */
export const APDEX_GLYPHS: Readonly<Record<ApdexGrade, string>> = {
  excellent: "◆",
  good: "●",
  fair: "▲",
  poor: "▼",
  unacceptable: "✕",
  none: "–",
};

/** Fewer requests than this make a score jump; it is then marked as unstable. */
export const STABLE_APDEX_REQUESTS = 100;
