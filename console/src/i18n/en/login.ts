import { addTexts } from "../translate.ts";

export const login = {
  "login.title": "Log in",
  "login.password": "Password",
  "login.submit": "Log in",
  "login.busy": "Checking…",
  "login.wrong": "The password is wrong.",
  "login.tooMany": "Too many attempts. Try again in {seconds} s.",
  "login.noCookie":
    "This browser did not keep the session's cookie. Allow cookies for this address, then try again.",
  "login.forgotten": "Forgotten? On the collector's host, “apm password” sets a new one.",
  "login.show": "Show password",
} as const;

addTexts(login, async () => (await import("../zh/login.ts")).login);
