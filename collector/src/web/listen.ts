import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import { CollectorError } from "../collector-error.ts";

/** A peer that does not say what it wants is hung up on: nothing is known of it yet, and it must not cost much. */
const STRANGERS = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 2_500 };

export interface Listening {
  server: Server;
  /** With the real port. */
  url: string;
}

/** Serves the app on HOST:PORT. Throws PORT_IN_USE or ADDRESS_NOT_AVAILABLE. */
export async function listen(
  app: Hono,
  address: string,
  attach: (server: Server) => void,
): Promise<Listening> {
  const server = createAdaptorServer({ fetch: app.fetch, serverOptions: STRANGERS }) as Server;
  attach(server);
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[|\]$/g, "");
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(startError(error, address)));
    server.listen(Number(address.slice(colon + 1)), host, () => resolve());
  });
  const bound = server.address();
  const port = typeof bound === "object" && bound ? bound.port : 0;
  return { server, url: `http://${address.slice(0, colon)}:${port}` };
}

function startError(error: NodeJS.ErrnoException, address: string): CollectorError {
  if (error.code === "EADDRINUSE") {
    const sentence = `${address} is in use by another program; stop it, or choose another address with --listen HOST:PORT`;
    return new CollectorError("PORT_IN_USE", sentence, { cause: error });
  }
  const sentence = `the collector cannot listen on ${address} (${error.code ?? error.message}); choose another address with --listen HOST:PORT`;
  return new CollectorError("ADDRESS_NOT_AVAILABLE", sentence, { cause: error });
}
