import { type AttributeValue, apdexZone } from "@apm-daemon/protocol";
import * as fc from "fast-check";
import { KIND, spanId, type TestSpan } from "./frame-writer.ts";

/** A request of an app, as a test plans it; times in whole µs, so that sums are exact. */
export interface PlannedRequest {
  action: string;
  isWeb: boolean;
  status: number;
  hasError: boolean;
  startUs: number;
  durationUs: number;
  calls: PlannedCall[];
}

export interface PlannedCall {
  category: "database" | "cache" | "external";
  /** After the request's start; a call may end after its request. */
  offsetUs: number;
  durationUs: number;
  hasError: boolean;
  table: number;
}

const call: fc.Arbitrary<PlannedCall> = fc.record({
  category: fc.constantFrom("database", "cache", "external"),
  offsetUs: fc.integer({ min: 0, max: 900_000 }),
  durationUs: fc.integer({ min: 0, max: 300_000 }),
  hasError: fc.boolean(),
  table: fc.integer({ min: 0, max: 2 }),
});

export const plannedRequests: fc.Arbitrary<PlannedRequest[]> = fc.array(
  fc.record({
    action: fc.constantFrom("GET /", "GET /items/:id", "POST /orders"),
    isWeb: fc.boolean(),
    status: fc.constantFrom(200, 404, 500),
    hasError: fc.boolean(),
    startUs: fc.integer({ min: 0, max: 30_000_000 }),
    durationUs: fc.integer({ min: 0, max: 3_000_000 }),
    calls: fc.array(call, { maxLength: 5 }),
  }),
  { minLength: 1, maxLength: 25 },
);

/** Their spans in the order of their ends, `startUnixUs` being time 0 of the plan. */
export function spansOf(requests: readonly PlannedRequest[], startUnixUs: number): TestSpan[] {
  let ids = 1_000_000;
  const spans = requests.flatMap((request, i): TestSpan[] => {
    const root = spanId(i + 1);
    const status: Record<string, AttributeValue> = request.isWeb
      ? { "http.response.status_code": request.status }
      : {};
    const rootSpan: TestSpan = {
      root,
      id: root,
      name: request.action,
      kind: request.isWeb ? KIND.server : KIND.consumer,
      endUnixUs: startUnixUs + request.startUs + request.durationUs,
      durationUs: request.durationUs,
      hasError: request.hasError,
      attributes: status,
    };
    const calls = request.calls.map(
      (one): TestSpan => ({
        root,
        id: spanId(ids++),
        name: `call ${one.table}`,
        kind: KIND.client,
        endUnixUs: startUnixUs + request.startUs + one.offsetUs + one.durationUs,
        durationUs: one.durationUs,
        hasError: one.hasError,
        attributes: attributesOf(one),
      }),
    );
    return [...calls, rootSpan];
  });
  return spans.sort((a, b) => a.endUnixUs - b.endUnixUs);
}

function attributesOf({ category, table }: PlannedCall): Record<string, AttributeValue> {
  if (category === "external")
    return { "http.request.method": "GET", "server.address": "api.test", "server.port": 8_000 + table };
  const system = category === "database" ? "postgresql" : "redis";
  return {
    "db.system.name": system,
    "db.operation.name": "SELECT",
    "db.collection.name": `t${table}`,
    "db.query.text": `SELECT ${table}`,
    "server.address": "db.test",
  };
}

/** What a correct count of a plan comes to, by window, action, kind and status; windows are 10 s of `startUnixUs` time. */
export function expectedActions(
  requests: readonly PlannedRequest[],
  startUnixUs: number,
  apdexTUs: number,
): Map<string, Record<string, number>> {
  const rows = new Map<string, Record<string, number>>();
  for (const { action, isWeb, status, hasError, startUs, durationUs } of requests) {
    const tsSec = Math.floor((startUnixUs + startUs + durationUs) / 1e7) * 10;
    const shownStatus = isWeb ? status : 0;
    const isError = hasError || shownStatus >= 500;
    const key = `${tsSec} ${action} ${isWeb ? "web" : "background"} ${shownStatus}`;
    const row = rows.get(key) ?? {
      requests: 0,
      errors: 0,
      satisfied: 0,
      tolerating: 0,
      frustrated: 0,
      sumUs: 0,
      maxUs: 0,
    };
    rows.set(key, row);
    const zone = apdexZone(durationUs, isError, apdexTUs);
    row["requests"] = (row["requests"] ?? 0) + 1;
    row["errors"] = (row["errors"] ?? 0) + (isError ? 1 : 0);
    row[zone] = (row[zone] ?? 0) + 1;
    row["sumUs"] = (row["sumUs"] ?? 0) + durationUs;
    row["maxUs"] = Math.max(row["maxUs"] ?? 0, durationUs);
  }
  return rows;
}

/** Cuts a list into pieces of the given sizes, over and over; no piece is empty. */
export function cut<Item>(items: readonly Item[], sizes: readonly number[]): Item[][] {
  const pieces: Item[][] = [];
  for (let from = 0, i = 0; from < items.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length] ?? 1);
    pieces.push(items.slice(from, from + size));
    from += size;
  }
  return pieces;
}
