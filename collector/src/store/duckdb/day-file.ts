import * as fs from "node:fs";
import * as path from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { BatchRange } from "../batch-index.ts";
import { TABLE_NAMES, TABLES } from "../tables.ts";
import { createTableSql, identifier, SCHEMA_ID } from "./column-types.ts";

const FILE_PATTERN = /^(\d{4}-\d{2}-\d{2})-[0-9a-f]{8}\.duckdb$/;
/** Each cut of a damaged WAL can reveal the next damage. */
const MAX_WAL_CUTS = 3;
/** A WAL entry's head (size and checksum) stands before the position that DuckDB names. */
const WAL_ENTRY_HEAD_BYTES = 16;
/** Failures that say nothing about the file's content: moving it away would not help. */
const ENVIRONMENT_ERROR =
  /permission denied|no space left|too many open files|conflicting lock|out of memory/i;

/** A database file with what arrived on one UTC day, attached to DuckDB under its own name. */
export interface DayFile {
  /** e.g. "2026-11-23". */
  day: string;
  /** File name without ".duckdb"; also the catalog in SQL. */
  catalog: string;
  file: string;
}

/** UTC day of a Unix time in ms. */
export function utcDay(unixMs: number): string {
  return new Date(unixMs).toISOString().slice(0, 10);
}

export function dayFile(folder: string, day: string): DayFile {
  const catalog = `${day}-${SCHEMA_ID}`;
  return { day, catalog, file: path.join(folder, `${catalog}.duckdb`) };
}

/** Files of all days in the folder, oldest first; other names are left alone. */
export function listDayFiles(folder: string): DayFile[] {
  const files: DayFile[] = [];
  for (const name of fs.readdirSync(folder).sort()) {
    const day = FILE_PATTERN.exec(name)?.[1];
    if (day) files.push({ day, catalog: name.slice(0, -".duckdb".length), file: path.join(folder, name) });
  }
  return files;
}

/** Attaches the file, which is created when it is not there. */
export async function attachDay(connection: DuckDBConnection, { file, catalog }: DayFile): Promise<void> {
  await connection.run(`ATTACH '${file.replaceAll("'", "''")}' AS ${identifier(catalog)}`);
}

/** Makes the tables that are missing: all of a new file, few of one that an older version wrote. */
export async function createTables(connection: DuckDBConnection, catalog: string): Promise<void> {
  for (const table of TABLE_NAMES) await connection.run(createTableSql(catalog, table, TABLES[table]));
}

/**
 * Attaches a file that an earlier process wrote, whatever state it left it in, and returns the batches in it; null when
 * it had to be put aside. A damaged WAL is cut before the damage, after copying it to `quarantine`; a damaged file goes
 * there as a whole. `warn` gets one sentence for each. Environment errors are thrown.
 */
export async function recoverDay(
  connection: DuckDBConnection,
  dayFile: DayFile,
  quarantine: string,
  warn: (sentence: string) => void,
): Promise<BatchRange[] | null> {
  for (let cuts = 0; ; cuts++) {
    try {
      await attachDay(connection, dayFile);
      await createTables(connection, dayFile.catalog);
      return await readBatchRanges(connection, dayFile.catalog);
    } catch (error) {
      const message = (error as Error).message;
      if (ENVIRONMENT_ERROR.test(message)) throw error;
      await detachDay(connection, dayFile.catalog).catch(() => undefined);
      if (cuts < MAX_WAL_CUTS && cutWal(dayFile, message, quarantine, warn)) continue;
      quarantineDay(dayFile, message, quarantine, warn);
      return null;
    }
  }
}

export async function detachDay(connection: DuckDBConnection, catalog: string): Promise<void> {
  await connection.run(`DETACH ${identifier(catalog)}`);
}

/** Removes a detached file for good: its space is free at once. */
export function unlinkDay({ file }: DayFile): void {
  fs.rmSync(file, { force: true });
  fs.rmSync(`${file}.wal`, { force: true });
}

async function readBatchRanges(connection: DuckDBConnection, catalog: string): Promise<BatchRange[]> {
  const result = await connection.runAndReadAll(`
    SELECT stream, min(number) AS first, max(number) AS last
    FROM (SELECT stream, number, number - row_number() OVER (PARTITION BY stream ORDER BY number) AS island
          FROM (SELECT DISTINCT stream, number FROM ${identifier(catalog)}.main.batches))
    GROUP BY stream, island`);
  return result.getRowObjectsJS() as unknown as BatchRange[];
}

function cutWal(
  day: DayFile,
  message: string,
  quarantine: string,
  warn: (sentence: string) => void,
): boolean {
  const position = /Corrupt WAL file: entry at byte position (\d+)/.exec(message)?.[1];
  const wal = `${day.file}.wal`;
  if (position === undefined || !fs.existsSync(wal)) return false;
  const copy = unusedPath(path.join(quarantine, path.basename(wal)));
  fs.copyFileSync(wal, copy);
  fs.truncateSync(wal, Math.max(0, Number(position) - WAL_ENTRY_HEAD_BYTES));
  warn(`${wal} was damaged at byte ${position}; it was cut there, and what came after is kept in ${copy}`);
  return true;
}

function quarantineDay(
  { file, day }: DayFile,
  message: string,
  quarantine: string,
  warn: (sentence: string) => void,
): void {
  const aside = unusedPath(path.join(quarantine, path.basename(file)));
  fs.renameSync(file, aside);
  if (fs.existsSync(`${file}.wal`)) fs.renameSync(`${file}.wal`, `${aside}.wal`);
  const reason = message.split("\n", 1)[0];
  warn(
    `the data of ${day} cannot be opened (${reason}); it was moved to ${aside} and the day goes on in a new file`,
  );
}

function unusedPath(wanted: string): string {
  let candidate = wanted;
  for (let i = 1; fs.existsSync(candidate); i++) candidate = `${wanted}.${i}`;
  return candidate;
}
