import * as fs from "node:fs";
import * as path from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { BatchRange } from "../batch-index.ts";
import { type DerivedKind, derivedTables } from "../rollups.ts";
import { type Columns, TABLES } from "../tables.ts";
import { createTableSql, identifier, schemaId } from "./column-types.ts";

/** `hot`: rows as they arrived. The others: see rollups.ts. */
export type FileKind = "hot" | DerivedKind;
export const FILE_KINDS: readonly FileKind[] = [
  "hot",
  "minutes",
  "hours",
  "days",
  "records",
  "traces",
  "sampled",
];

/** Tables of the files of a kind, as this build makes them. */
export const FILE_TABLES: Readonly<Record<FileKind, Readonly<Record<string, Columns>>>> = {
  hot: TABLES,
  minutes: derivedTables("minutes"),
  hours: derivedTables("hours"),
  days: derivedTables("days"),
  records: derivedTables("records"),
  traces: derivedTables("traces"),
  sampled: derivedTables("sampled"),
};

const SCHEMA_IDS: Readonly<Record<FileKind, string>> = Object.fromEntries(
  FILE_KINDS.map((kind) => [kind, schemaId(FILE_TABLES[kind])]),
) as Record<FileKind, string>;

const FILE_PATTERN = /^(\d{4}-\d{2}(?:-\d{2})?)-[0-9a-f]{8}(?:\.\d+)?\.duckdb$/;
/** Each cut of a damaged WAL can reveal the next damage. */
const MAX_WAL_CUTS = 3;
/** A WAL entry's head (size and checksum) stands before the position that DuckDB names. */
const WAL_ENTRY_HEAD_BYTES = 16;
/** Failures that say nothing about the file's content: moving it away would not help. */
const ENVIRONMENT_ERROR =
  /permission denied|no space left|too many open files|conflicting lock|out of memory/i;

/** A database file with what arrived on one UTC day, in one week or month, attached to DuckDB under its own name. */
export interface StoreFile {
  kind: FileKind;
  /** e.g. "2026-11-23", of a week its Monday, or "2026-11" where a file holds a month. */
  period: string;
  /** The catalog in SQL. */
  catalog: string;
  file: string;
}

/** UTC day of a Unix time in ms. */
export function utcDay(unixMs: number): string {
  return new Date(unixMs).toISOString().slice(0, 10);
}

/**
 * Which file of a kind takes in what a file of this period has. What is asked for over weeks is in few files: DuckDB plans each anew for each query. Shorter
 * periods let what is due go sooner.
 */
export function periodOf(kind: FileKind, period: string): string {
  switch (kind) {
    case "hours":
    case "days":
      return period.slice(0, 7);
    case "records":
    case "sampled":
      return mondayOf(period);
    case "hot":
    case "minutes":
    case "traces":
      return period;
  }
  throw new TypeError(`there is no such kind of files: ${JSON.stringify(kind satisfies never)}`);
}

/** Whether a file of the kind and period has, or will have, rows of those that were made on this day or in this month. Earlier builds had a file of a day each. */
export function takesIn({ kind, period }: Pick<StoreFile, "kind" | "period">, source: string): boolean {
  return period === source || period === periodOf(kind, source);
}

function mondayOf(day: string): string {
  const ms = Date.parse(day);
  const daysSince = (new Date(ms).getUTCDay() + 6) % 7;
  return utcDay(ms - daysSince * 86_400_000);
}

/** The file of a period under the tables of this build; `turn` counts those that may not be written to any more. */
export function storeFile(folder: string, kind: FileKind, period: string, turn: number = 0): StoreFile {
  const name = `${period}-${SCHEMA_IDS[kind]}${turn === 0 ? "" : `.${turn}`}`;
  return named(folder, kind, period, name);
}

function named(folder: string, kind: FileKind, period: string, name: string): StoreFile {
  const catalog = kind === "hot" ? name : `${kind}-${name}`;
  return { kind, period, catalog, file: path.join(folder, kind, `${name}.duckdb`) };
}

/** Whether this build made the file: earlier ones had other tables. */
export function isOfThisBuild({ kind, catalog }: StoreFile): boolean {
  return catalog.includes(`-${SCHEMA_IDS[kind]}`);
}

/** Files of a kind below the store's folder, oldest first; other names are left alone. */
export function listStoreFiles(folder: string, kind: FileKind): StoreFile[] {
  const files: StoreFile[] = [];
  for (const name of fs.readdirSync(path.join(folder, kind)).sort()) {
    const period = FILE_PATTERN.exec(name)?.[1];
    if (period) files.push(named(folder, kind, period, name.slice(0, -".duckdb".length)));
  }
  return files;
}

/** Attaches the file, which is created when it is not there. */
export async function attachFile(
  connection: DuckDBConnection,
  { file, catalog }: Pick<StoreFile, "file" | "catalog">,
): Promise<void> {
  await connection.run(`ATTACH '${file.replaceAll("'", "''")}' AS ${identifier(catalog)}`);
}

/** Makes the tables that are missing: all of a new file, few of one that an older version wrote. */
export async function createTables(
  connection: DuckDBConnection,
  { catalog, kind }: Pick<StoreFile, "catalog" | "kind">,
): Promise<void> {
  for (const [table, columns] of Object.entries(FILE_TABLES[kind]))
    await connection.run(createTableSql(catalog, table, columns));
}

/**
 * Attaches a file that an earlier process wrote, whatever state it left it in; false when it had to be put aside. A damaged
 * WAL is cut before the damage, after copying it to `quarantine`; a damaged file goes there as a whole. `warn` gets one
 * sentence for each. Environment errors are thrown.
 */
export async function recoverFile(
  connection: DuckDBConnection,
  file: StoreFile,
  quarantine: string,
  warn: (sentence: string) => void,
): Promise<boolean> {
  for (let cuts = 0; ; cuts++) {
    try {
      await attachFile(connection, file);
      await createTables(connection, file);
      return true;
    } catch (error) {
      const message = (error as Error).message;
      if (ENVIRONMENT_ERROR.test(message)) throw error;
      await detachFile(connection, file.catalog).catch(() => undefined);
      if (cuts < MAX_WAL_CUTS && cutWal(file, message, quarantine, warn)) continue;
      quarantineFile(file, message, quarantine, warn);
      return false;
    }
  }
}

export async function detachFile(connection: DuckDBConnection, catalog: string): Promise<void> {
  await connection.run(`DETACH ${identifier(catalog)}`);
}

/** Removes a detached file for good: its space is free at once. */
export function unlinkFile(file: string): void {
  fs.rmSync(file, { force: true });
  fs.rmSync(`${file}.wal`, { force: true });
}

/** Size of the file with its WAL. */
export function bytesOf({ file }: StoreFile): number {
  let bytes = 0;
  for (const part of [file, `${file}.wal`]) bytes += fs.statSync(part, { throwIfNoEntry: false })?.size ?? 0;
  return bytes;
}

/** The batches of which a file knows. */
export async function readBatchRanges(
  connection: DuckDBConnection,
  { catalog, kind }: StoreFile,
): Promise<BatchRange[]> {
  const main = `${identifier(catalog)}.main`;
  if (kind !== "hot" && kind !== "records") return [];
  const sql =
    kind === "hot" ? rangesSql(`${main}.batches`) : `SELECT stream, first, last FROM ${main}.batch_ranges`;
  return (await connection.runAndReadAll(sql)).getRowObjectsJS() as unknown as BatchRange[];
}

/** Numbers of batches as runs without gaps; `where` is about the rows of `batches`. */
export function rangesSql(batches: string, where: string = "true"): string {
  return `SELECT stream, min(number) AS first, max(number) AS last
    FROM (SELECT stream, number, number - row_number() OVER (PARTITION BY stream ORDER BY number) AS island
          FROM (SELECT DISTINCT stream, number FROM ${batches} WHERE ${where}))
    GROUP BY stream, island`;
}

function cutWal(
  day: StoreFile,
  message: string,
  quarantine: string,
  warn: (sentence: string) => void,
): boolean {
  const position = /Corrupt WAL file: entry at byte position (\d+)/.exec(message)?.[1];
  const wal = `${day.file}.wal`;
  if (position === undefined || !fs.existsSync(wal)) return false;
  const copy = unusedPath(path.join(quarantine, quarantineName(day.kind, wal)));
  fs.copyFileSync(wal, copy);
  fs.truncateSync(wal, Math.max(0, Number(position) - WAL_ENTRY_HEAD_BYTES));
  warn(`${wal} was damaged at byte ${position}; it was cut there, and what came after is kept in ${copy}`);
  return true;
}

function quarantineFile(
  { file, kind, period }: StoreFile,
  message: string,
  quarantine: string,
  warn: (sentence: string) => void,
): void {
  const aside = moveAside({ file, kind }, quarantine);
  const reason = message.split("\n", 1)[0];
  warn(
    `the data of ${period} (${kind}) cannot be opened (${reason}); it was moved to ${aside} and goes on in a new file`,
  );
}

/** Moves a file that is not attached; answers whereto. */
export function moveAside({ file, kind }: Pick<StoreFile, "file" | "kind">, quarantine: string): string {
  const aside = unusedPath(path.join(quarantine, quarantineName(kind, file)));
  fs.renameSync(file, aside);
  if (fs.existsSync(`${file}.wal`)) fs.renameSync(`${file}.wal`, `${aside}.wal`);
  return aside;
}

function unusedPath(wanted: string): string {
  let candidate = wanted;
  for (let i = 1; fs.existsSync(candidate); i++) candidate = `${wanted}.${i}`;
  return candidate;
}

function quarantineName(kind: FileKind, file: string): string {
  return kind === "hot" ? path.basename(file) : `${kind}-${path.basename(file)}`;
}
