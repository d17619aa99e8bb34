import type { MiddlewareHandler } from "hono";
import { askedBy } from "../store/asker.ts";

/**
 * Gives up the queries of a call when the browser hangs up. Reading calls only: what a POST began may be of use to others
 * who asked for the same.
 */
export const askedByBrowser: MiddlewareHandler = (c, next) =>
  c.req.method === "GET" ? askedBy(c.req.raw.signal, next) : next();
