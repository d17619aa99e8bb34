/** Everything that records spans by itself. A library more is a file beside this one, and a line here. */
import { instrumentAmqplib } from "./amqplib.ts";
import { instrumentExpress } from "./express.ts";
import { instrumentFastify } from "./fastify.ts";
import { instrumentHono } from "./hono.ts";
import { instrumentHttpClient } from "./http-client.ts";
import { instrumentHttpServer } from "./http-server.ts";
import { instrumentHttp2Client } from "./http2-client.ts";
import { instrumentHttp2Server } from "./http2-server.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import { instrumentIoredis } from "./ioredis.ts";
import { instrumentKafkajs } from "./kafkajs.ts";
import { instrumentKoa } from "./koa.ts";
import { instrumentMemcached } from "./memcached.ts";
import { instrumentMemjs } from "./memjs.ts";
import { instrumentMongodb } from "./mongodb.ts";
import { instrumentMysql } from "./mysql.ts";
import { instrumentMysql2 } from "./mysql2.ts";
import { instrumentNest } from "./nest.ts";
import { instrumentPg } from "./pg.ts";
import { instrumentRedis } from "./redis.ts";
import { instrumentUndici } from "./undici.ts";

const INSTRUMENTATIONS: Readonly<Record<string, (parts: InstrumentationParts) => void>> = {
  "http server": instrumentHttpServer,
  "http client": instrumentHttpClient,
  "http2 server": instrumentHttp2Server,
  "http2 client": instrumentHttp2Client,
  undici: instrumentUndici,
  express: instrumentExpress,
  fastify: instrumentFastify,
  hono: instrumentHono,
  koa: instrumentKoa,
  nest: instrumentNest,
  pg: instrumentPg,
  mysql: instrumentMysql,
  mysql2: instrumentMysql2,
  redis: instrumentRedis,
  ioredis: instrumentIoredis,
  memcached: instrumentMemcached,
  memjs: instrumentMemjs,
  mongodb: instrumentMongodb,
  amqplib: instrumentAmqplib,
  kafkajs: instrumentKafkajs,
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
