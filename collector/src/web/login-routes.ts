import { Hono } from "hono";
import * as z from "zod";
import type { Access } from "../access/access.ts";
import { MAX_PASSWORD_BYTES } from "../access/password-store.ts";
import { errorBody } from "./error-body.ts";
import { readBody } from "./json-body.ts";
import { peerAddress } from "./peer-address.ts";
import { giveSession, sessionOf, takeSessionAway } from "./session-cookie.ts";

const LoginSchema = z.strictObject({ password: z.string().min(1).max(MAX_PASSWORD_BYTES) });

/** The calls that everybody may make: to log in and out, and to ask whether that is needed. */
export function loginRoutes(access: Access): Hono {
  const routes = new Hono();
  routes.get("/session", (c) => {
    const isLoggedIn = access.permissionOf({ session: sessionOf(c), bearer: "" }) === "all";
    return c.json({ isGuarded: access.isGuarded, isLoggedIn });
  });
  routes.post("/login", async (c) => {
    const { password } = await readBody(c, LoginSchema);
    const outcome = await access.logIn({ password, address: peerAddress(c), session: sessionOf(c) });
    switch (outcome.is) {
      case "logged_in":
        giveSession(c, outcome.token);
        return c.json({ isGuarded: true, isLoggedIn: true });
      case "too_many": {
        const seconds = Math.ceil(outcome.waitMs / 1_000);
        c.header("retry-after", String(seconds));
        const sentence = `too many log-ins were tried; try again in ${seconds} s`;
        return c.json({ ...errorBody("TOO_MANY_LOGINS", sentence), retryAfterSec: seconds }, 429);
      }
      case "no_password": {
        const sentence =
          'there is no password to log in with; set one with "apm password" on the collector\'s host';
        return c.json(errorBody("NO_PASSWORD", sentence), 409);
      }
      default:
        return c.json(errorBody("WRONG_PASSWORD", "the password is wrong"), 401);
    }
  });
  routes.post("/logout", (c) => {
    access.logOut(sessionOf(c));
    takeSessionAway(c);
    return c.json({ isGuarded: access.isGuarded, isLoggedIn: false });
  });
  return routes;
}
