import type { AppEvent } from "@apm-daemon/protocol";
import type { Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { answeredRange, keptFrom, keptRange, type QueryRange } from "./time-range.ts";

export interface EventsAnswer {
  app: string;
  from: number;
  to: number;
  /** Null: all of the range is kept; else nothing is known of before. */
  keptFrom: number | null;
  events: EventAnswer[];
}

/** The event as its daemon made it, with the host that it was on. */
export type EventAnswer = Omit<AppEvent, "tsMs" | "app"> & { host: string; unixMs: number };

/** Ends of the app's processes in the range, newest first. */
export async function events(
  store: Store,
  app: string,
  range: QueryRange,
  limit: number,
): Promise<EventsAnswer> {
  await requireApp(store, app);
  const keptFromSec = store.keptFromSec("records");
  const stored = await store.events.list(app, keptRange(range, keptFromSec), limit);
  return {
    app,
    ...answeredRange(range),
    keptFrom: keptFrom(range, keptFromSec),
    events: stored.map(({ host, body }) => eventAnswer(host, body)),
  };
}

export interface EndsAnswer {
  from: number;
  to: number;
  keptFrom: number | null;
  ends: EndAnswer[];
}

/** An end in short; `GET /apps/{app}/events` has all that is known of it. */
export type EndAnswer = Pick<AppEvent, "id" | "app" | "kind" | "title" | "pid"> & {
  host: string;
  unixMs: number;
};

/** Ends of all apps' processes in the range, newest first. */
export async function ends(store: Store, range: QueryRange, limit: number): Promise<EndsAnswer> {
  const keptFromSec = store.keptFromSec("records");
  const stored = await store.events.list(undefined, keptRange(range, keptFromSec), limit);
  return {
    ...answeredRange(range),
    keptFrom: keptFrom(range, keptFromSec),
    ends: stored.map(({ host, body }) => {
      const { id, app, kind, title, pid, tsMs } = JSON.parse(body) as AppEvent;
      return { id, app, kind, title, pid, host, unixMs: tsMs };
    }),
  };
}

function eventAnswer(host: string, body: string): EventAnswer {
  const { tsMs, app: _app, ...event } = JSON.parse(body) as AppEvent;
  return { ...event, host, unixMs: tsMs };
}
