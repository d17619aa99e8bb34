import type { AppEvent } from "@apm-daemon/protocol";
import type { Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { answeredRange, type QueryRange } from "./time-range.ts";

export interface EventsAnswer {
  app: string;
  from: number;
  to: number;
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
  const stored = await store.events.list(app, range, limit);
  return { app, ...answeredRange(range), events: stored.map(({ host, body }) => eventAnswer(host, body)) };
}

function eventAnswer(host: string, body: string): EventAnswer {
  const { tsMs, app: _app, ...event } = JSON.parse(body) as AppEvent;
  return { ...event, host, unixMs: tsMs };
}
