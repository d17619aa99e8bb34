import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { parse } from "hono/utils/cookie";
import { MAX_SESSION_MS } from "../access/session-store.ts";

const NAME = "apm_session";
/** Browsers take a cookie of this name by https alone, for this very host: no neighbour's page can set it. */
const SECURE_NAME = `__Host-${NAME}`;

/** The session's token that the browser sent, "" when it sent none. */
export function sessionOf(c: Context): string {
  return getCookie(c, SECURE_NAME) ?? getCookie(c, NAME) ?? "";
}

/** The same of a request that comes by another way than Hono's. */
export function sessionIn(cookieHeader: string | undefined): string {
  const cookies = parse(cookieHeader ?? "");
  return cookies[SECURE_NAME] ?? cookies[NAME] ?? "";
}

export function giveSession(c: Context, token: string): void {
  put(c, token, MAX_SESSION_MS / 1_000);
}

export function takeSessionAway(c: Context): void {
  put(c, "", 0);
}

function put(c: Context, value: string, maxAge: number): void {
  const secure = isByHttps(c);
  setCookie(c, secure ? SECURE_NAME : NAME, value, {
    httpOnly: true,
    sameSite: "Strict",
    path: "/",
    maxAge,
    secure,
  });
}

/** A proxy in front speaks https with the browser: it says so, and the browser does in the origin of what it posts. */
function isByHttps(c: Context): boolean {
  const proxied = c.req.header("x-forwarded-proto")?.split(",", 1)[0]?.trim();
  return proxied === "https" || c.req.header("origin")?.startsWith("https://") === true;
}
