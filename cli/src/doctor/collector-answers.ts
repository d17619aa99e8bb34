/** One look at the collector over the network: health, clock, and whether it takes the license key. */
import { randomBytes } from "node:crypto";
import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { UPLINK_SUBPROTOCOL } from "@apm-daemon/protocol";
import { type KeyReading, readKeyFile } from "./key-file.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** Its clock as its answer says, at half of the time that the answer took by ours; null where it does not say. */
  readonly skewMs: number | null;
}

/** An answer, or the error that came instead. */
export type Outcome = HttpAnswer | Error;

export interface CollectorAnswers {
  readonly url: string;
  readonly health: Outcome;
  readonly server: Outcome;
  readonly key: KeyReading;
  /** The answer to an upgrade with the key: 101 when it was taken; null when there is no key to try. */
  readonly upgrade: Outcome | null;
}

const WITHIN_MS = 4_000;
const MAX_BODY_BYTES = 65_536;
/** A whole close frame of a client, code 1000, under a mask of zeros: the collector sees a good-bye, not a break. */
const CLOSE_FRAME = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);

/** Never rejects: what fails is in the answers. */
export async function askCollector(url: string, keyFile: string | null): Promise<CollectorAnswers> {
  const key = readKeyFile(keyFile);
  const headers = key.key === null ? {} : { authorization: `Bearer ${key.key}` };
  const health = await ask(url, "/healthz", { headers });
  if (health instanceof Error) return { url, health, server: health, key, upgrade: null };
  const [server, upgrade] = await Promise.all([
    ask(url, "/api/v1/server", { headers }),
    key.key === null ? null : tryUpgrade(url, key.key),
  ]);
  return { url, health, server, key, upgrade };
}

function tryUpgrade(url: string, key: string): Promise<Outcome> {
  return ask(url, "/uplink", {
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": randomBytes(16).toString("base64"),
      "sec-websocket-protocol": UPLINK_SUBPROTOCOL,
      authorization: `Bearer ${key}`,
    },
  });
}

function ask(url: string, path: string, options: RequestOptions): Promise<Outcome> {
  return new Promise((resolve) => {
    const address = new URL(url.replace(/^ws/, "http").replace(/\/+$/, "") + path);
    const startMs = Date.now();
    const send = address.protocol === "https:" ? httpsRequest : httpRequest;
    const call = send(address, { ...options, agent: false, timeout: WITHIN_MS }, (answer) => {
      void readAnswer(answer, startMs).then(resolve, resolve);
    });
    call.on("upgrade", (_answer, socket) => {
      socket.on("error", () => {});
      socket.end(CLOSE_FRAME);
      resolve({ status: 101, body: "", skewMs: null });
    });
    call.on("timeout", () => call.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })));
    call.on("error", resolve);
    call.end();
  });
}

async function readAnswer(answer: IncomingMessage, startMs: number): Promise<HttpAnswer> {
  const middleMs = (startMs + Date.now()) / 2;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) break;
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks).toString();
  const saysUnixMs = nowUnixMsOf(body) ?? dateOf(answer.headers.date);
  return {
    status: answer.statusCode ?? 0,
    body,
    skewMs: saysUnixMs === null ? null : saysUnixMs - middleMs,
  };
}

function nowUnixMsOf(body: string): number | null {
  try {
    const { nowUnixMs } = JSON.parse(body) as { nowUnixMs?: unknown };
    return typeof nowUnixMs === "number" ? nowUnixMs : null;
  } catch {
    return null;
  }
}

/** A date header names the second that has begun: half of one is the fairest guess. */
function dateOf(header: string | undefined): number | null {
  const unixMs = Date.parse(header ?? "");
  return Number.isNaN(unixMs) ? null : unixMs + 500;
}
