import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";

/**
 * Where the demo listens when nobody else does there: what it shows has the same names after a restart, since databases
 * and services are named by their addresses.
 */
export const USUAL_PORTS = {
  database: 18_432,
  cache: 18_379,
  cardNetwork: 18_443,
  payments: 18_080,
} as const;

/** Listens at that port, or at any where it is taken; answers which. */
export async function listenOnLoopback(server: Server, usualPort: number): Promise<number> {
  try {
    server.listen(usualPort, "127.0.0.1");
    await once(server, "listening");
  } catch {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
  return (server.address() as AddressInfo).port;
}

/** A port for an app that listens by itself: the usual one where that is free now. */
export async function portForApp(usualPort: number): Promise<number> {
  const probe = createServer();
  const port = await listenOnLoopback(probe, usualPort);
  probe.close();
  await once(probe, "close");
  return port === usualPort ? usualPort : 0;
}
