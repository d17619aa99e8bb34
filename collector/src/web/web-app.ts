import { Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Logger } from "pino";
import type { Access } from "../access/access.ts";
import { CollectorError } from "../collector-error.ts";
import { TooManyFetches } from "../flight-recorder/trace-fetch.ts";
import { NotFound } from "../query/not-found.ts";
import { StoreError } from "../store/store-error.ts";
import type { AllowedHosts } from "./allowed-hosts.ts";
import { type ApiOptions, api } from "./api.ts";
import { askedByBrowser } from "./asked-by-browser.ts";
import { consoleFiles } from "./console-files.ts";
import { crossSiteReason } from "./cross-site.ts";
import { errorBody } from "./error-body.ts";
import { guard, permissionOf } from "./guard.ts";
import { BadBody } from "./json-body.ts";
import { loginRoutes } from "./login-routes.ts";
import { methodsOf } from "./methods.ts";
import { BadParameter } from "./parameters.ts";
import { type SettingsRoutesOptions, settingsRoutes } from "./settings-routes.ts";

export interface WebAppOptions extends ApiOptions {
  /** Folder of the built console. */
  consoleDir: string;
  allowedHosts: AllowedHosts;
  access: Access;
  settingsRoutes: SettingsRoutesOptions;
  log: Logger;
}

const MAX_SHOWN_CHARS = 255;

/** Only own files may run, load or connect; names from applications are data, whatever they contain. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
};

/** Everything the collector serves over HTTP: health, API, console. */
export function webApp(options: WebAppOptions): Hono {
  const { store, version, consoleDir, allowedHosts, access, log } = options;
  const app = new Hono();
  app.use(async (c, next) => {
    const allowed = methodsOf(c.req.path);
    if (allowed.includes(c.req.method)) return await next();
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
  app.use(async (c, next) => {
    if (c.req.method === "GET" || c.req.method === "HEAD") return await next();
    const reason = crossSiteReason((name) => c.req.header(name));
    return reason === null ? await next() : c.json(errorBody("CROSS_SITE", reason), 403);
  });
  app.get("/healthz", async (c) => {
    // Everybody may ask whether it works; what it is and what is wrong with it is for those who may see more.
    const mayKnow = permissionOf(c, access) !== "none";
    try {
      await store.checkHealth();
      return c.json({ status: "ok", ...(mayKnow && { version }), store: { ok: true } });
    } catch (error) {
      const about = mayKnow && { version, reason: (error as Error).message };
      return c.json({ status: "failing", ...about, store: { ok: false } }, 503);
    }
  });
  app.use("/api/v1/*", askedByBrowser);
  app.route("/api/v1", loginRoutes(access));
  app.use("/api/*", guard(access));
  app.route("/api/v1", settingsRoutes(options.settingsRoutes));
  app.route("/api/v1", api(options));
  app.all("/api/*", (c) => c.json(errorBody("NOT_FOUND", `there is no call ${c.req.path}`), 404));
  app.route(
    "/",
    consoleFiles(consoleDir, (c) =>
      permissionOf(c, access) !== "all" ? "needed" : access.isGuarded ? "in" : "",
    ),
  );
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
  if (error instanceof BadBody) return { status: error.status, code: error.code, message: error.message };
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
  if (error instanceof CollectorError && error.code.endsWith("_UNREADABLE")) {
    log.error({ err: error }, error.message);
    const message = "the collector cannot read who may do this; its log says more";
    return { status: 503, code: error.code, message, retryAfterMs: 10_000 };
  }
  log.error({ err: error }, "an API call failed");
  return { status: 500, code: "INTERNAL", message: "the collector failed to answer; its log says more" };
}
