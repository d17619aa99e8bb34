/** Everything that records spans by itself. A library more is a file beside this one, and a line here. */
import { instrumentAmqplib } from "./amqplib.ts";
import { instrumentExpress } from "./express.ts";
import { instrumentFastify } from "./fastify.ts";
import { instrumentHttpClient } from "./http-client.ts";
import { instrumentHttpServer } from "./http-server.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import { instrumentMysql2 } from "./mysql2.ts";
import { instrumentPg } from "./pg.ts";
import { instrumentRedis } from "./redis.ts";
import { instrumentUndici } from "./undici.ts";

const INSTRUMENTATIONS: Readonly<Record<string, (parts: InstrumentationParts) => void>> = {
  "http server": instrumentHttpServer,
  "http client": instrumentHttpClient,
  undici: instrumentUndici,
  express: instrumentExpress,
  fastify: instrumentFastify,
  pg: instrumentPg,
  mysql2: instrumentMysql2,
  redis: instrumentRedis,
  amqplib: instrumentAmqplib,
};

/** Sets all of them up; one that fails is said to have failed, and leaves the others alone. */
export function instrumentAll(parts: InstrumentationParts): void {
  for (const [name, instrument] of Object.entries(INSTRUMENTATIONS)) {
    try {
      instrument(parts);
    } catch (error) {
      parts.log.internalError(name, error);
    }
  }
}
