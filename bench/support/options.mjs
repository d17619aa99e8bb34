import { cpus } from "node:os";
import { parseArgs } from "node:util";

/** `more` are options of one benchmark alone. @returns {{ rounds: number, seconds: number, values: Record<string, string> }} */
export function readOptions(rounds, seconds, more = []) {
  const names = ["rounds", "seconds", ...more];
  const { values } = parseArgs({
    options: Object.fromEntries(names.map((name) => [name, { type: "string" }])),
  });
  return { rounds: Number(values.rounds ?? rounds), seconds: Number(values.seconds ?? seconds), values };
}

/** Prints one result; the first fields say what was measured where and when. */
export function print(bench, result) {
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? "unknown"}, node ${process.versions.node}`;
  console.log(JSON.stringify({ bench, date: new Date().toISOString().slice(0, 10), machine, ...result }));
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function round(value, digits = 2) {
  return Number(value.toFixed(digits));
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
