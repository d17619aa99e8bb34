import type { Answer, PlannedRequest } from "./load-generator.ts";

type Route = [
  count: number,
  path: (n: number) => string,
  status: number,
  action: string,
  method?: PlannedRequest["method"],
];

/** Eighty requests to the shop: few enough to wait for, of every kind that a page tells apart. */
const ROUTES: Route[] = [
  [30, (n) => `/users/${n + 1}`, 200, "GET /users/:id"],
  [12, (n) => `/users/${1_000 + n}`, 404, "GET /users/:id"],
  [8, () => "/orders", 201, "POST /orders", "POST"],
  [10, (n) => `/shops/north/orders/${n + 1}`, 200, "GET /shops/:shop/orders/:order"],
  [6, (n) => `/relay/${n + 1}`, 200, "GET /relay/:id"],
  [5, () => "/fail/tag", 500, "GET /fail/:tag"],
  [3, () => "/wait/database", 200, "GET /wait/database"],
  [4, () => "/slow/700", 200, "GET /slow/:ms"],
  [2, () => "/slow/2100", 200, "GET /slow/:ms"],
];

/** Calls that the shop makes for them, by the beginning of what is shown of each. */
export const SMALL_CALLS: {
  readonly statements: ReadonlyMap<string, number>;
  readonly commands: ReadonlyMap<string, number>;
  readonly relayed: number;
} = {
  statements: new Map([
    ["SELECT id, name FROM users", 42],
    ["INSERT INTO orders", 8],
    ["SELECT shop, id FROM orders", 10],
    ["SELECT name AS tag FROM users", 5],
    ["SELECT pg_sleep", 3],
  ]),
  commands: new Map([
    ["INCR", 8],
    ["GET", 10],
  ]),
  /** To the stock, which counts them as requests of its own. */
  relayed: 6,
};

/** What the failed ones say. */
export const SMALL_PLAN_ERROR = "the payment provider said no";

export function smallPlan(shopUrl: string): PlannedRequest[] {
  return ROUTES.flatMap(([count, path, expectedStatus, action, method = "GET"]) =>
    Array.from({ length: count }, (_, n): PlannedRequest => {
      const request: PlannedRequest = { url: shopUrl + path(n), method, expectedStatus, action };
      return method === "POST" ? { ...request, body: { item: `item ${n}` } } : request;
    }),
  );
}

/** What the shop waited for at least; a timer may be a millisecond early. */
export function smallLeastMs({ planned }: Answer): number {
  if (planned.action === "GET /wait/database") return 99;
  return Math.max(0, Number(/\/slow\/(\d+)$/.exec(planned.url)?.[1] ?? 0) - 1);
}
