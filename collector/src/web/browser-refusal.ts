import type { IncomingMessage } from "node:http";
import type { Access } from "../access/access.ts";
import type { AllowedHosts } from "./allowed-hosts.ts";
import { crossSiteReason } from "./cross-site.ts";
import { sessionIn } from "./session-cookie.ts";

/**
 * Why a browser's WebSocket may not be opened; null when it may. Browsers let pages of any site open one, and send no
 * preflight: the rules of a POST hold, and `Origin` must be there, since only what is no browser leaves it out.
 */
export function browserRefusal(
  { headers }: IncomingMessage,
  allowedHosts: AllowedHosts,
  access: Access,
): { status: number; sentence: string } | null {
  if (!allowedHosts.accepts(headers.host))
    return { status: 421, sentence: "This collector does not answer to this host name; see allowed_hosts." };
  if (headers.origin === undefined)
    return { status: 403, sentence: "This is for browsers: they say which page they come from." };
  const reason = crossSiteReason((name) => {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  });
  if (reason !== null) return { status: 403, sentence: `${reason}.` };
  return mayWatch(headers.cookie, access) ? null : { status: 401, sentence: "This needs a log-in." };
}

/** Whether the log-in with which a browser opened its WebSocket has ended since. */
export function hasLoginEnded({ headers }: IncomingMessage, access: Access): boolean {
  try {
    return !access.stillHolds(sessionIn(headers.cookie));
  } catch {
    return true;
  }
}

/** What cannot be read lets nobody in. */
function mayWatch(cookie: string | undefined, access: Access): boolean {
  try {
    return access.permissionOf({ session: sessionIn(cookie), bearer: "" }) === "all";
  } catch {
    return false;
  }
}
