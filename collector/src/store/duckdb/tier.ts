import type { Retention } from "../retention.ts";
import { DAY_SEC, DAY_TABLES, HOUR_SEC, MINUTE_SEC, type TieredTable } from "../rollups.ts";
import type { Kept, TimeRange } from "../store.ts";
import { rowsOf } from "./sql-parts.ts";
import { utcDay } from "./store-file.ts";

const WINDOW_SEC = 10;
const DAY_MS = DAY_SEC * 1_000;
/** Who is silent for longer has a newest minute or hour. */
const NEWEST_SEC = 600;
/** `ts_s` is a u32. */
const MAX_SEC = 4_294_967_295;

interface Tier {
  name: "raw" | "minutes" | "hours" | "days";
  unitSec: number;
  /** Totals over so much time are added up from it: fewer rows, the same sums. */
  leastSec: number;
}

/** From fine to coarse; each unit is a multiple of the one before. */
const TIERS: readonly Tier[] = [
  { name: "raw", unitSec: 1, leastSec: 0 },
  { name: "minutes", unitSec: MINUTE_SEC, leastSec: HOUR_SEC },
  { name: "hours", unitSec: HOUR_SEC, leastSec: 6 * HOUR_SEC },
  { name: "days", unitSec: DAY_SEC, leastSec: 2 * DAY_SEC },
];

interface Piece extends TimeRange {
  tier: Tier;
}

/**
 * Chooses which rows answer for a range: the coarsest that the steps of a chart can be made of, and finer ones at the ends
 * of the range, so that sums are exactly those of the range. What is not there any more in fine rows is answered in whole
 * units of the next tier.
 */
export class Tiers {
  readonly #retention: Retention;
  readonly #clock: () => number;

  constructor(retention: Retention, clock: () => number) {
    this.#retention = retention;
    this.#clock = clock;
  }

  /** See Store. */
  resolutionSec({ fromSec }: TimeRange): number {
    const finest = this.#firstSecs().findIndex((firstSec) => fromSec >= firstSec);
    return Math.max(WINDOW_SEC, TIERS[finest]?.unitSec ?? HOUR_SEC);
  }

  /** The rows of the range, in a table's tiered columns, to stand behind FROM. `stepSec` is a chart's; totals have none. */
  tierOf(table: TieredTable, range: TimeRange, stepSec?: number): string {
    const seconds = range.toSec - range.fromSec;
    const wanted = TIERS.findLastIndex(
      ({ name, leastSec, unitSec }) =>
        seconds >= leastSec &&
        (stepSec === undefined || stepSec % unitSec === 0) &&
        (name !== "days" || DAY_TABLES.includes(table)),
    );
    return this.#rows(table, range, wanted);
  }

  /** The same in the finest rows that are there: not for sums over long ranges. */
  finestOf(table: TieredTable, range: TimeRange): string {
    return this.#rows(table, range, 0);
  }

  /** For newest values: the finest rows at the end of the range, or now, and few for what is older; null where nothing is. */
  newestOf(table: TieredTable, range: TimeRange): { newest: string; older: string | null } {
    const seamSec = Math.min(range.toSec, this.nowSec()) - NEWEST_SEC;
    if (seamSec <= range.fromSec) return { newest: this.finestOf(table, range), older: null };
    return {
      newest: this.finestOf(table, { fromSec: seamSec, toSec: range.toSec }),
      older: this.tierOf(table, { fromSec: range.fromSec, toSec: seamSec }),
    };
  }

  nowSec(): number {
    return Math.floor(this.#clock() / 1000);
  }

  /** See Store. */
  keptFromSec(kept: Kept): number {
    const { days, tracesDays, sampledTracesDays, recordsDays } = this.#retention;
    return this.#firstOf(
      { rows: days, traces: tracesDays, sampledTraces: sampledTracesDays, records: recordsDays }[kept],
    );
  }

  #rows(table: TieredTable, range: TimeRange, wanted: number): string {
    const pieces: Piece[] = [];
    let { toSec } = range;
    for (const [finest, firstSec] of this.#firstSecs().entries()) {
      const fromSec = Math.min(toSec, Math.max(range.fromSec, firstSec));
      pieces.push(...filled({ fromSec, toSec }, Math.max(wanted, finest), finest));
      toSec = fromSec;
    }
    const selects = joined(pieces.length > 0 ? pieces : filled(range, 0, 0)).map(
      ({ tier, ...piece }) =>
        `SELECT * FROM ${rowsOf(`${table}_${tier.name}`, piece)} WHERE ts_s >= ${piece.fromSec}::UINTEGER AND ts_s < ${Math.min(piece.toSec, MAX_SEC)}::UINTEGER`,
    );
    return `(${selects.join(" UNION ALL BY NAME ")})`;
  }

  /** From which second on each tier has all rows; both ends of a day are ends of an hour and of a minute. */
  #firstSecs(): number[] {
    return [this.#firstOf(this.#retention.days), this.#firstOf(this.#retention.minutesDays), 0];
  }

  #firstOf(days: number): number {
    return Math.max(0, Date.parse(utcDay(this.#clock() - days * DAY_MS)) / 1000);
  }
}

/** Whole units of one tier, with finer tiers at both ends down to the `finest` that is there, whose units are whole. */
function filled({ fromSec, toSec }: TimeRange, wanted: number, finest: number): Piece[] {
  const tier = TIERS[wanted];
  if (!tier || fromSec >= toSec) return [];
  const { unitSec } = tier;
  const up = (sec: number): number => Math.ceil(sec / unitSec) * unitSec;
  const down = (sec: number): number => Math.floor(sec / unitSec) * unitSec;
  if (wanted === finest) return [{ tier, fromSec: down(fromSec), toSec: up(toSec) }];
  const whole = { tier, fromSec: up(fromSec), toSec: down(toSec) };
  if (whole.fromSec >= whole.toSec) return filled({ fromSec, toSec }, wanted - 1, finest);
  return [
    ...filled({ fromSec, toSec: whole.fromSec }, wanted - 1, finest),
    whole,
    ...filled({ fromSec: whole.toSec, toSec }, wanted - 1, finest),
  ];
}

/** In order of time, pieces of one tier that follow on each other as one: DuckDB plans each anew. */
function joined(pieces: readonly Piece[]): Piece[] {
  const found: Piece[] = [];
  for (const piece of pieces.toSorted((a, b) => a.fromSec - b.fromSec)) {
    const last = found.at(-1);
    if (last?.tier === piece.tier && last.toSec === piece.fromSec) last.toSec = piece.toSec;
    else found.push({ ...piece });
  }
  return found;
}
