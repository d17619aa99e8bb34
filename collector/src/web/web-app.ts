import { Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Logger } from "pino";
import { TooManyFetches } from "../flight-recorder/trace-fetch.ts";
import { NotFound } from "../query/not-found.ts";
import { StoreError } from "../store/store-error.ts";
import type { AllowedHosts } from "./allowed-hosts.ts";
import { type ApiOptions, api } from "./api.ts";
import { askedByBrowser } from "./asked-by-browser.ts";
import { consoleFiles } from "./console-files.ts";
import { crossSiteReason } from "./cross-site.ts";
import { BadParameter } from "./parameters.ts";

export interface WebAppOptions extends ApiOptions {
  /** Folder of the built console. */
  consoleDir: string;
  allowedHosts: AllowedHosts;
  log: Logger;
}

/** The one call that does something: it makes the hosts search, and stores what they find. */
const FETCH_PATH = /^\/api\/v1\/traces\/[^/]+\/fetch$/;
const MAX_SHOWN_CHARS = 255;

/** Only own files may run, load or connect; names from applications are data, whatever they contain. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

/** Everything the collector serves over HTTP: health, API, console. */
export function webApp(options: WebAppOptions): Hono {
  const { store, version, consoleDir, allowedHosts, log } = options;
  const app = new Hono();
  app.use(async (c, next) => {
    const isFetch = FETCH_PATH.test(c.req.path);
    if (isFetch ? c.req.method === "POST" : c.req.method === "GET" || c.req.method === "HEAD")
      return await next();
    const allowed = isFetch ? ["POST"] : ["GET", "HEAD"];
    c.header("allow", allowed.join(", "));
    return c.json(errorBody("METHOD_NOT_ALLOWED", `only ${allowed.join(" and ")} is answered here`), 405);
  });
  app.use(async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) c.header(name, value);
  });
  app.use(async (c, next) => {
    await next();
    if (!c.res.headers.get("content-type")?.startsWith("application/json")) return;
    c.header("cache-control", "no-store");
    c.header("content-type", "application/json; charset=utf-8");
  });
  app.use(async (c, next) => {
    const host = c.req.header("host");
    if (allowedHosts.accepts(host)) return await next();
    const name = JSON.stringify((host ?? "").slice(0, MAX_SHOWN_CHARS));
    const sentence = `this collector does not answer to the host name ${name}; add it to allowed_hosts in the collector's configuration`;
    return c.json(errorBody("HOST_NOT_ALLOWED", sentence), 421);
  });
  app.post("*", async (c, next) => {
    const reason = crossSiteReason((name) => c.req.header(name));
    return reason === null ? await next() : c.json(errorBody("CROSS_SITE", reason), 403);
  });
  app.get("/healthz", async (c) => {
    try {
      await store.checkHealth();
      return c.json({ status: "ok", version, store: { ok: true } });
    } catch (error) {
      const reason = (error as Error).message;
      return c.json({ status: "failing", version, store: { ok: false }, reason }, 503);
    }
  });
  app.use("/api/v1/*", askedByBrowser);
  app.route("/api/v1", api(options));
  app.all("/api/*", (c) => c.json(errorBody("NOT_FOUND", `there is no call ${c.req.path}`), 404));
  app.route("/", consoleFiles(consoleDir));
  app.onError((error, c) => {
    const { status, code, message, retryAfterMs } = answerTo(error, log);
    if (retryAfterMs !== undefined) c.header("retry-after", String(Math.ceil(retryAfterMs / 1000)));
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) c.header(name, value);
    c.header("cache-control", "no-store");
    return c.json(errorBody(code, message), status);
  });
  return app;
}

interface ErrorAnswer {
  status: ContentfulStatusCode;
  code: string;
  message: string;
  retryAfterMs?: number;
}

function answerTo(error: Error, log: Logger): ErrorAnswer {
  if (error instanceof BadParameter) return { status: 400, code: "BAD_PARAMETER", message: error.message };
  if (error instanceof NotFound) return { status: 404, code: "NOT_FOUND", message: error.message };
  if (error instanceof TooManyFetches)
    return { status: 503, code: "TOO_MANY_FETCHES", message: error.message, retryAfterMs: 1_000 };
  if (error instanceof StoreError) {
    // Nobody reads the answer to who has left.
    if (error.code !== "CANCELLED") log.warn({ err: error }, "the store did not answer a query");
    return {
      status: 503,
      code: `STORE_${error.code}`,
      message: error.message,
      retryAfterMs: error.retryAfterMs,
    };
  }
  log.error({ err: error }, "an API call failed");
  return { status: 500, code: "INTERNAL", message: "the collector failed to answer; its log says more" };
}

function errorBody(code: string, message: string): { error: { code: string; message: string } } {
  return { error: { code, message } };
}
