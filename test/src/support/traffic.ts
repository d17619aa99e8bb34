import type { Answer, PlannedRequest } from "./load-generator.ts";

/** What a load must look like in the API: all counted from the plan and from the answers, nothing from the product. */
export interface Expectation {
  requests: number;
  errors: number;
  /** By status code. */
  statusCodes: Map<number, number>;
  /** By action. */
  actions: Map<string, number>;
}

export function expectation(planned: readonly PlannedRequest[]): Expectation {
  const statusCodes = new Map<number, number>();
  const actions = new Map<string, number>();
  let errors = 0;
  for (const { expectedStatus, action } of planned) {
    statusCodes.set(expectedStatus, (statusCodes.get(expectedStatus) ?? 0) + 1);
    actions.set(action, (actions.get(action) ?? 0) + 1);
    if (expectedStatus >= 500) errors++;
  }
  return { requests: planned.length, errors, statusCodes, actions };
}

/** A name of letters only, another one for each number. */
export function tagOf(number: number): string {
  let rest = number;
  let tag = "";
  do {
    tag = String.fromCharCode(97 + (rest % 26)) + tag;
    rest = Math.floor(rest / 26);
  } while (rest > 0);
  return `tag${tag}`;
}

type Route = [count: number, route: (n: number) => Omit<PlannedRequest, "url"> & { path: string }];

/** 3,000 requests to the shop: some slow, 400 answered with 404 and 150 with 500. 200 of them ask the stock app. */
const SHOP_ROUTES: Route[] = [
  [1_180, (n) => get(`/users/${(n % 50) + 1}`, 200, "GET /users/:id")],
  [300, (n) => get(`/users/${1_000 + n}`, 404, "GET /users/:id")],
  [500, (n) => get(`/shops/north/orders/${(n % 50) + 1}`, 200, "GET /shops/:shop/orders/:order")],
  [400, (n) => post("/orders", { item: `item ${n}` })],
  [100, (n) => get(`/nowhere/${n}`, 404, "GET (unmatched)")],
  [150, (n) => get(`/fail/${tagOf(n)}`, 500, "GET /fail/:tag")],
  [100, (n) => get(`/mix/${tagOf(n)}`, 200, "GET /mix/:tag")],
  [200, (n) => get(`/relay/${(n % 50) + 1}`, 200, "GET /relay/:id")],
  [10, () => get("/wait/database", 200, "GET /wait/database")],
  [10, () => get("/wait/cache", 200, "GET /wait/cache")],
  [40, () => get("/slow/900", 200, "GET /slow/:ms")],
  [10, () => get("/slow/2300", 200, "GET /slow/:ms")],
];

/** 2,000 requests to the stock app: 300 answered with 404 and 200 with 500. */
const STOCK_ROUTES: Route[] = [
  [1_000, (n) => get(`/items/${(n % 50) + 1}`, 200, "GET /items/:id")],
  [300, (n) => get(`/items/${100_000 + n}`, 404, "GET /items/:id")],
  [400, (n) => post("/items", { name: `item ${n}` })],
  [200, (n) => get(`/fail/${tagOf(n)}`, 500, "GET /fail/:tag")],
  [100, () => get("/health", 200, "GET /health")],
];

/** The action of the stock app that only the shop's `/relay/:id` calls. */
export const RELAYED_ACTION = "GET /internal/stock/:id";

export interface Plan {
  shop: PlannedRequest[];
  stock: PlannedRequest[];
  /** Both, evenly mixed, in the same order every time. */
  all: PlannedRequest[];
  /** Requests that the shop itself sends to the stock app while it answers the plan. */
  relayed: PlannedRequest[];
}

/** Exactly 5,000 requests. */
export function plan5000(shopUrl: string, stockUrl: string): Plan {
  const shop = planned(shopUrl, SHOP_ROUTES);
  const stock = planned(stockUrl, STOCK_ROUTES);
  const relayed = shop
    .filter(({ action }) => action === "GET /relay/:id")
    .map(({ url }) => ({
      ...get("", 200, RELAYED_ACTION),
      url: url.replace(`${shopUrl}/relay`, `${stockUrl}/internal/stock`),
    }));
  return { shop, stock, all: evenlyMixed([...shop, ...stock]), relayed };
}

function planned(baseUrl: string, routes: Route[]): PlannedRequest[] {
  return routes.flatMap(([count, route]) =>
    Array.from({ length: count }, (_, n) => {
      const { path, ...rest } = route(n);
      return { ...rest, url: `${baseUrl}${path}` };
    }),
  );
}

/** Walks through the list in steps that are prime to its length, so that neighbours are of different routes. */
function evenlyMixed<T>(list: T[]): T[] {
  const step = 1_847;
  if (list.length % step === 0) throw new Error(`the step ${step} must not divide the length ${list.length}`);
  return list.map((_, n) => list[(n * step) % list.length] as T);
}

function get(path: string, expectedStatus: number, action: string): ReturnType<Route[1]> {
  return { path, method: "GET", expectedStatus, action };
}

function post(path: string, body: Record<string, unknown>): ReturnType<Route[1]> {
  return { path, method: "POST", body, expectedStatus: 201, action: `POST ${path}` };
}

export interface Zones {
  satisfied: number;
  tolerating: number;
  frustrated: number;
}

/** How the users of the load generator were served, by the definition of docs/api.md. */
export function zonesOf(
  answers: readonly Answer[],
  thresholdMs: number,
  timed: (answer: Answer) => number = ({ durationMs }) => durationMs,
): Zones {
  const zones: Zones = { satisfied: 0, tolerating: 0, frustrated: 0 };
  for (const answer of answers) {
    const durationMs = timed(answer);
    if (answer.status >= 500 || answer.status === 0 || durationMs > 4 * thresholdMs) zones.frustrated++;
    else if (durationMs > thresholdMs) zones.tolerating++;
    else zones.satisfied++;
  }
  return zones;
}

/**
 * What an app took at least: its own wait, less the millisecond by which a timer may be early. The user's time is the most.
 * The time between the two is the app's own or that of a machine that let both wait; only the app can tell them apart.
 */
export function leastMs({ planned }: Answer): number {
  const waitMs = Number(/\/slow\/(\d+)$/.exec(planned.url)?.[1] ?? 0);
  return Math.max(0, waitMs - 1);
}
