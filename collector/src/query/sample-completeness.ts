import type { SampledSteps, Store } from "../store/store.ts";
import type { Completeness } from "./completeness.ts";
import { NotFound } from "./not-found.ts";
import { answeredRange, type QueryRange, type Steps } from "./time-range.ts";

/** How many of a host's seconds arrived, by step and as a whole: between the first and the last that did. */
export interface SampleCompleteness {
  /** In seconds; what is missing has the reason `not_sampled`. */
  completeness: Completeness;
  /** Null for steps of which nothing is known. */
  ratios: (number | null)[];
}

/** From the steps that have rows. What lies before the first and after the last row is not known to be missing. */
export function sampleCompleteness(
  { rowSec, steps: sampled }: SampledSteps,
  { firstSec, stepSec, count }: Steps,
): SampleCompleteness {
  const begin = sampled[0]?.firstSec ?? 0;
  const end = (sampled.at(-1)?.lastSec ?? 0) + rowSec;
  const rowsOf = new Map(sampled.map(({ stepStartSec, rows }) => [stepStartSec, rows]));
  let [wanted, arrived] = [0, 0];
  const ratios = Array.from({ length: count }, (_, i) => {
    const start = firstSec + i * stepSec;
    const seconds = Math.min(start + stepSec, end) - Math.max(start, begin);
    if (sampled.length === 0 || seconds <= 0) return null;
    // A row belongs to the step that it begins in, so a step may have one more than fits.
    const known = Math.min((rowsOf.get(start) ?? 0) * rowSec, seconds);
    wanted += seconds;
    arrived += known;
    return known / seconds;
  });
  const missing = wanted - arrived;
  return {
    completeness: {
      created: wanted,
      stored: arrived,
      dropped: missing > 0 ? { not_sampled: missing } : {},
      inFlight: 0,
      ratio: wanted > 0 ? arrived / wanted : null,
    },
    ratios,
  };
}

export interface HostLedgerAnswer {
  host: string;
  from: number;
  to: number;
  completeness: Completeness;
  /** By time, the longest MAX_GAPS. Where only sums are left, `missingMs` may be less than all of it. */
  gaps: { fromUnixMs: number; toUnixMs: number; missingMs: number }[];
}

const MAX_GAPS = 100;

/** The seconds of a host that did not arrive. */
export async function hostLedger(store: Store, host: string, range: QueryRange): Promise<HostLedgerAnswer> {
  if (!(await store.hosts.exists(host))) throw new NotFound(`there is no host ${JSON.stringify(host)}`);
  const whole: Steps = { firstSec: range.fromSec, stepSec: range.toSec - range.fromSec, count: 1 };
  const [sampled, gaps] = await Promise.all([
    store.hosts.sampledSteps(host, range, 86_400),
    store.hosts.gaps(host, range, MAX_GAPS),
  ]);
  return {
    host,
    ...answeredRange(range),
    completeness: sampleCompleteness(inOneStep(sampled, whole.firstSec), whole).completeness,
    gaps: gaps.map(({ lastSec, nextSec, missingSec }) => ({
      fromUnixMs: (lastSec + sampled.rowSec) * 1000,
      toUnixMs: nextSec * 1000,
      missingMs: missingSec * 1000,
    })),
  };
}

function inOneStep({ rowSec, steps }: SampledSteps, stepStartSec: number): SampledSteps {
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined) return { rowSec, steps };
  const rows = steps.reduce((sum, step) => sum + step.rows, 0);
  return { rowSec, steps: [{ stepStartSec, rows, firstSec: first.firstSec, lastSec: last.lastSec }] };
}
