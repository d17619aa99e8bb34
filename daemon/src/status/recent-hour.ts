/**
 * What was sealed in the last hour, for those who ask on the host: `GET /recent`, `apm slow`.
 *
 * Each seal's rows become one compressed part per minute that they belong to. After PARTS_PER_MINUTE of them a minute's parts are
 * merged into one, each key once, within the limits of hour-rows.ts. So what is held is a few hundred buffers, whose size is known to
 * the byte: beyond MAX_BYTES the oldest minutes go, and are counted. Rows are only unpacked, a minute at a time, when somebody asks.
 *
 * It is memory alone: after a restart it begins anew, and says since when it knows all.
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import {
  type BatchHeader,
  MAX_RECENT_MINUTES,
  type RecentReport,
  type StatementRow,
} from "@apm-daemon/protocol";
import {
  type HourRows,
  MINUTE_LIMITS,
  mergedRows,
  noRows,
  type RowLimits,
  rowsByMinute,
} from "./hour-rows.ts";
import { recentReport } from "./recent-report.ts";
import { StatementMemory } from "./statement-memory.ts";

export interface RecentHourOptions {
  host: { readonly name: string };
  clock: { unixMs(): number };
  /** Requests of an app that take longer are slow. */
  slowMs: (app: string) => number;
}

export interface RecentQuery {
  minutes: number;
  /** All apps when missing. */
  app?: string;
}

/** With the texts of statements, 1 MB at most, and what buffers need for themselves: below 8 MB. */
const MAX_BYTES = 6_291_456;
/** A seal is made every 10 s, as a rule. */
const PARTS_PER_MINUTE = 6;
/** zlib's levels: what stays for a minute, and what stays for an hour. */
const FAST = 1;
const SMALL = 6;
/** A Buffer's own objects, beside its bytes. */
const BYTES_PER_PART = 256;
/** Of all minutes together, while an answer is put together. */
const ANSWER_LIMITS: RowLimits = { actions: 5_000, calls: 5_000, slowStatements: 50, traces: 3_000 };
/** Enough for one person; each holds some megabytes while it is put together. */
const MAX_QUESTIONS = 2;

export class RecentHour {
  readonly #options: RecentHourOptions;
  readonly #startUnixMs: number;
  readonly #minutes = new Map<number, Uint8Array[]>();
  readonly #statements = new StatementMemory();
  readonly #droppedMinutes = new Set<number>();
  #partBytes = 0;
  #questions = 0;

  constructor(options: RecentHourOptions) {
    this.#options = options;
    this.#startUnixMs = options.clock.unixMs();
  }

  /** What it holds now. */
  get bytes(): number {
    return this.#partBytes + this.#statements.bytes;
  }

  /** Texts of statements, also of those that leave this host only when somebody asks for one. */
  addStatements(rows: readonly StatementRow[]): void {
    this.#statements.add(rows);
  }

  /** The beginning of a statement, "" where it is not known. */
  statementText(fingerprint: string): string {
    return this.#statements.textOf(fingerprint);
  }

  add(header: BatchHeader): void {
    const now = this.#minuteNow();
    for (const [minute, rows] of rowsByMinute(header, this.#options.slowMs)) {
      // Rows of the future are those of a clock that was set back since.
      if (Math.abs(now - minute) > MAX_RECENT_MINUTES) continue;
      const parts = this.#minutes.get(minute) ?? [];
      this.#minutes.set(minute, parts);
      this.#push(parts, mergedRows([rows], MINUTE_LIMITS), FAST);
      if (parts.length >= PARTS_PER_MINUTE) this.#mergeParts(parts);
    }
    this.#forget(now);
  }

  /** Null when too many ask at once. */
  async report({ minutes, app }: RecentQuery): Promise<RecentReport | null> {
    if (this.#questions >= MAX_QUESTIONS) return null;
    this.#questions++;
    try {
      const toUnixMs = this.#options.clock.unixMs();
      const first = this.#minuteNow() - minutes;
      const rows = await this.#rowsSince(first, app);
      const fromUnixMs = first * 60_000;
      return recentReport({
        host: this.#options.host.name,
        minutes,
        fromUnixMs,
        sinceUnixMs: Math.max(fromUnixMs, this.#startUnixMs),
        toUnixMs,
        rows,
        minutesLeftOut: [...this.#droppedMinutes].filter((minute) => minute >= first).length,
        textOf: (fingerprint) => this.#statements.textOf(fingerprint),
      });
    } finally {
      this.#questions--;
    }
  }

  /** A minute at a time, so that everything else goes on meanwhile. */
  async #rowsSince(first: number, app: string | undefined): Promise<HourRows> {
    let all = noRows();
    for (const minute of [...this.#minutes.keys()].filter((minute) => minute >= first)) {
      const parts = (this.#minutes.get(minute) ?? []).map(unpacked);
      all = mergedRows([all, ...parts.map((part) => ofApp(part, app))], ANSWER_LIMITS);
      await nextTurn();
    }
    return all;
  }

  #push(parts: Uint8Array[], rows: HourRows, level: number): void {
    const part = packed(rows, level);
    parts.push(part);
    this.#partBytes += part.length + BYTES_PER_PART;
  }

  #mergeParts(parts: Uint8Array[]): void {
    const rows = mergedRows(parts.map(unpacked), MINUTE_LIMITS);
    for (const part of parts.splice(0)) this.#partBytes -= part.length + BYTES_PER_PART;
    this.#push(parts, rows, SMALL);
  }

  /** Minutes out of the hour go; then the oldest ones until the rest has room. */
  #forget(now: number): void {
    for (const minute of this.#droppedMinutes)
      if (Math.abs(now - minute) > MAX_RECENT_MINUTES) this.#droppedMinutes.delete(minute);
    for (const minute of [...this.#minutes.keys()].sort((a, b) => a - b)) {
      const isOld = Math.abs(now - minute) > MAX_RECENT_MINUTES;
      if (!isOld && this.#partBytes <= MAX_BYTES) continue;
      for (const part of this.#minutes.get(minute) ?? []) this.#partBytes -= part.length + BYTES_PER_PART;
      this.#minutes.delete(minute);
      if (!isOld) this.#droppedMinutes.add(minute);
    }
  }

  #minuteNow(): number {
    return Math.floor(this.#options.clock.unixMs() / 60_000);
  }
}

function ofApp(rows: HourRows, app: string | undefined): HourRows {
  if (app === undefined) return rows;
  const isAsked = (row: { app: string }): boolean => row.app === app;
  return {
    ...rows,
    actions: rows.actions.filter(isAsked),
    calls: rows.calls.filter(isAsked),
    slowStatements: rows.slowStatements.filter(isAsked),
    traces: rows.traces.filter(isAsked),
  };
}

/** Its own copy: zlib hands out pieces of larger blocks. */
function packed(rows: HourRows, level: number): Uint8Array {
  return new Uint8Array(deflateRawSync(JSON.stringify(rows), { level }));
}

function unpacked(part: Uint8Array): HourRows {
  return JSON.parse(inflateRawSync(part).toString()) as HourRows;
}
