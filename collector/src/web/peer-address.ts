import { isIP } from "node:net";
import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context } from "hono";
import { isLoopbackAddress } from "../access/loopback.ts";

/**
 * Where a request comes from. A proxy on this machine names its own peer last in X-Forwarded-For; nobody else's word counts. Who is on this
 * machine already could lie: the limit of all addresses together holds for them too.
 */
export function peerAddress(c: Context): string {
  const direct = getConnInfo(c).remote.address ?? "unknown";
  const named = c.req.header("x-forwarded-for")?.split(",").at(-1)?.trim() ?? "";
  return isLoopbackAddress(direct) && isIP(named) !== 0 ? named : direct;
}
