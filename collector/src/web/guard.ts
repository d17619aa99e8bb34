import type { Context, MiddlewareHandler } from "hono";
import type { Access, Permission } from "../access/access.ts";
import { errorBody } from "./error-body.ts";
import { isReading } from "./methods.ts";
import { sessionOf } from "./session-cookie.ts";

/** What the holder of a license key may ask: how the collector is, and what arrived of its own daemon. */
const OWN_CALLS: readonly string[] = ["/api/v1/server", "/api/v1/ledger"];

/** What the sender of this request may do. */
export function permissionOf(c: Context, access: Access): Permission {
  const bearer = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
  return access.permissionOf({ session: sessionOf(c), bearer });
}

/** Lets through who may make this call. */
export function guard(access: Access): MiddlewareHandler {
  return async (c, next) => {
    const permission = permissionOf(c, access);
    if (isAllowed(permission, c.req.method, c.req.path)) return await next();
    if (permission === "none") {
      c.header("www-authenticate", "Bearer");
      const sentence =
        "this needs a log-in: open the console in a browser, or send an API token as Authorization: Bearer TOKEN";
      return c.json(errorBody("LOGIN_REQUIRED", sentence), 401);
    }
    const sentence =
      permission === "read"
        ? "an API token may only read; log in to the console for this"
        : "a license key may not ask this; make an API token for it on the collector's host: apm token create NAME";
    return c.json(errorBody("NOT_ALLOWED", sentence), 403);
  };
}

function isAllowed(permission: Permission, method: string, path: string): boolean {
  if (permission === "all") return true;
  if (permission === "read") return isReading(method, path);
  return permission === "own" && isReading(method, path) && OWN_CALLS.includes(path);
}
