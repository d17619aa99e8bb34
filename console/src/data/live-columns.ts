import type { Column, Columns } from "./answers.ts";
import type { LiveSecond } from "./live-feed.ts";

/** Seconds that a live chart shows. */
export const LIVE_SPAN_SEC = 300;

/** The seconds with another one, in order, each once, as few as a chart shows: what is kept does not grow. */
export function withSecond(seconds: readonly LiveSecond[], second: LiveSecond): LiveSecond[] {
  const isKnown = seconds.some(({ host, tsSec }) => host === second.host && tsSec === second.tsSec);
  if (isKnown) return [...seconds];
  const newest = Math.max(second.tsSec, seconds.at(-1)?.tsSec ?? 0);
  return [...seconds, second]
    .filter(({ tsSec }) => tsSec > newest - LIVE_SPAN_SEC)
    .sort((a, b) => a.tsSec - b.tsSec);
}

/** A host's stored seconds with those that came since; as they are when none did, or when they are not by the second. */
export function liveHostColumns(base: Columns, seconds: readonly LiveSecond[]): Columns {
  const newest = seconds.at(-1);
  if (newest === undefined || base.stepMs !== 1000) return base;
  const to = (newest.tsSec + 1) * 1000;
  const t0 = to - LIVE_SPAN_SEC * 1000;
  const live = new Map(seconds.map(({ tsSec, values }) => [tsSec * 1000, values ?? {}]));
  const column = (
    values: Column | undefined,
    valueOf: (live: Record<string, number | null>) => number | null,
  ) =>
    Array.from({ length: LIVE_SPAN_SEC }, (_, i) => {
      const second = live.get(t0 + i * 1000);
      return second ? valueOf(second) : (values?.[(t0 - base.t0) / 1000 + i] ?? null);
    });
  const cols: Columns["cols"] = {};
  for (const [name, values] of Object.entries(base.cols))
    cols[name] = column(values, (second) => second[name] ?? null);
  const completenessRatios = column(base.completenessRatios, () => 1);
  return { ...base, from: t0, to, t0, cols, completenessRatios, isLive: true };
}

/** Seconds of an app's live chart. */
const REQUESTS_SPAN_SEC = 120;
/** A host that was silent for longer is not waited for. */
const WAIT_FOR_HOST_SEC = 5;

/** An app's requests by the second, added up over its hosts, up to the newest second that all of them have told. */
export function liveRequestColumns(seconds: readonly LiveSecond[]): Columns | null {
  const newestOf = new Map<string, number>();
  for (const { host, tsSec } of seconds) newestOf.set(host, Math.max(tsSec, newestOf.get(host) ?? 0));
  const newest = Math.max(0, ...newestOf.values());
  if (newest === 0) return null;
  const toldByAll = Math.min(...[...newestOf.values()].filter((tsSec) => tsSec > newest - WAIT_FOR_HOST_SEC));
  const to = (toldByAll + 1) * 1000;
  const from = to - REQUESTS_SPAN_SEC * 1000;
  const empty = (): Column => Array.from({ length: REQUESTS_SPAN_SEC }, () => null);
  const [requests, errors, avgMs] = [empty(), empty(), empty()];
  const sums = empty();
  for (const second of seconds) {
    const i = (second.tsSec * 1000 - from) / 1000;
    if (i < 0 || i >= REQUESTS_SPAN_SEC) continue;
    requests[i] = (requests[i] ?? 0) + (second.requests ?? 0);
    errors[i] = (errors[i] ?? 0) + (second.errors ?? 0);
    sums[i] = (sums[i] ?? 0) + (second.sumUs ?? 0);
    avgMs[i] = requests[i] ? (sums[i] ?? 0) / (requests[i] ?? 1) / 1000 : null;
  }
  return { from, to, t0: from, stepMs: 1000, cols: { requests, errors, avgMs }, isLive: true };
}
