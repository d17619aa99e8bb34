import type { CollectorApi } from "./collector-api.ts";
import type { Truth } from "./counting-app.ts";

/** How far the collector's counters are from the truth: requests of every action and calls of every operation. */
export interface Differences {
  lost: number;
  doubled: number;
  /** The first few, a sentence each. */
  details: string[];
}

const MAX_DETAILS = 20;

/** Compares name by name, so that a loss in one place and a double count in another do not cancel out. */
export async function counterDifferences(
  api: CollectorApi,
  app: string,
  truth: Pick<Truth, "actions" | "operations">,
): Promise<Differences> {
  const [actions, database, cache] = await Promise.all([
    api.actions(app),
    api.operations(app, "database"),
    api.operations(app, "cache"),
  ]);
  const requests = sums(actions.map(({ action, requests }) => [action, requests]));
  const calls = sums(
    [...database, ...cache].map(({ system, operation, calls }) => [`${system} ${operation}`, calls]),
  );
  const differences: Differences = { lost: 0, doubled: 0, details: [] };
  compare(differences, "requests", truth.actions, requests);
  compare(differences, "calls", truth.operations, calls);
  return differences;
}

function sums(entries: [string, number][]): Map<string, number> {
  const total = new Map<string, number>();
  for (const [name, count] of entries) total.set(name, (total.get(name) ?? 0) + count);
  return total;
}

function compare(
  differences: Differences,
  what: string,
  truth: Record<string, number>,
  found: ReadonlyMap<string, number>,
): void {
  for (const name of new Set([...Object.keys(truth), ...found.keys()])) {
    const made = truth[name] ?? 0;
    const counted = found.get(name) ?? 0;
    if (made === counted) continue;
    differences.lost += Math.max(0, made - counted);
    differences.doubled += Math.max(0, counted - made);
    if (differences.details.length < MAX_DETAILS)
      differences.details.push(`${name}: ${made} ${what} were made, the collector counts ${counted}`);
  }
}
