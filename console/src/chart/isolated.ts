/**
 * The series that are shown alone, as the URL has them: `only=split:database,percentiles:p95`. What a name has of these signs
 * is percent-encoded in its part.
 */
type Pair = [chart: string, series: string];

/** Which of its series a chart shows alone; null for all, also where the URL names one that it does not have. */
export function isolated(
  text: string | null,
  chart: string,
  series: readonly { key: string }[],
): string | null {
  const key = pairsOf(text).find(([id]) => id === chart)?.[1];
  return series.find((one) => one.key === key)?.key ?? null;
}

/** The same text with another series of one chart, null for all of them; null where no chart shows one alone. */
export function isolatedText(text: string | null, chart: string, series: string | null): string | null {
  const others = pairsOf(text).filter(([id]) => id !== chart);
  const pairs: Pair[] = series === null ? others : [...others, [chart, series]];
  return pairs.length === 0 ? null : pairs.map((pair) => pair.map(encodeURIComponent).join(":")).join(",");
}

function pairsOf(text: string | null): Pair[] {
  return (text ?? "").split(",").flatMap((part): Pair[] => {
    const [chart = "", series] = part.split(":");
    if (series === undefined) return [];
    try {
      return [[decodeURIComponent(chart), decodeURIComponent(series)]];
    } catch {
      return []; // a broken percent sequence names nothing
    }
  });
}
