import type { ErrorPlace, Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { type ErrorGroupAnswer, errorGroupAnswer } from "./errors.ts";
import { NotFound } from "./not-found.ts";
import { answeredRange, keptFrom, keptRange, type QueryRange } from "./time-range.ts";

const MAX_SAMPLES = 20;

export interface ErrorGroupDetailAnswer extends ErrorGroupAnswer {
  app: string;
  from: number;
  to: number;
  /** Null: all of the range is kept; else nothing is known of before. */
  keptFrom: number | null;
  places: ErrorPlace[];
  samples: { traceId: string; action: string; host: string; message: string; unixMs: number }[];
}

/** One group of errors: where they happened, and kept traces that show them. */
export async function errorGroup(
  store: Store,
  app: string,
  group: string,
  range: QueryRange,
): Promise<ErrorGroupDetailAnswer> {
  await requireApp(store, app);
  const keptFromSec = store.keptFromSec("records");
  const kept = keptRange(range, keptFromSec);
  const [found, firsts, places, samples] = await Promise.all([
    store.errors.group(app, group, kept),
    store.errors.firstSeen(app),
    store.errors.places(app, group, kept),
    store.errors.samples(app, group, kept, MAX_SAMPLES),
  ]);
  if (!found) throw new NotFound(`there is no error of the group ${JSON.stringify(group)} in the range`);
  const first = firsts.find((row) => row.group === group);
  return {
    app,
    ...answeredRange(range),
    keptFrom: keptFrom(range, keptFromSec),
    ...errorGroupAnswer(found, first?.firstSec ?? found.firstSec, range, keptFromSec),
    places,
    samples: samples.map(({ sec, ...sample }) => ({ ...sample, unixMs: sec * 1000 })),
  };
}
