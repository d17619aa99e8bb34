import { cpus } from "node:os";
import { parseArgs } from "node:util";

/** @returns {{ rounds: number, seconds: number }} */
export function readOptions(rounds, seconds) {
  const { values } = parseArgs({ options: { rounds: { type: "string" }, seconds: { type: "string" } } });
  return { rounds: Number(values.rounds ?? rounds), seconds: Number(values.seconds ?? seconds) };
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
