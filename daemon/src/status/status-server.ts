import { createServer, type Server, type ServerResponse } from "node:http";
import {
  type LedgerReport,
  MAX_RECENT_MINUTES,
  type RecentReport,
  type StatusReport,
  type TopReport,
} from "@apm-daemon/protocol";
import { listenOnPassed } from "../intake/passed-socket.ts";
import { listenOnSocket } from "../intake/socket-path.ts";
import { prometheusText } from "./metrics.ts";
import type { RecentQuery } from "./recent-hour.ts";

export interface StatusServerOptions {
  path: string;
  /** Where systemd listens at that path. */
  passedFd?: number | undefined;
  report: () => StatusReport;
  ledger: () => LedgerReport;
  top: () => TopReport;
  /** The answer to `/recent`; null when too many ask at once. */
  recent: (query: RecentQuery) => Promise<RecentReport | null>;
  /** The answer to `/traces/ID`; never rejects. */
  trace: (traceId: string) => Promise<{ status: 200 | 404 | 503; body: unknown }>;
}

const TRACE_PATH = /^\/traces\/([0-9a-f]{32})$/;

/**
 * HTTP on the status socket: `/status`, `/ledger` and `/top` (JSON), `/recent?minutes=N&app=APP` (JSON, what the last minutes' seals
 * had), `/metrics` (Prometheus), `/healthz` (200 or 503), `/traces/ID` (JSON, from the journal). Only the owner's group may ask.
 */
export class StatusServer {
  readonly #options: StatusServerOptions;
  readonly #server: Server;

  constructor(options: StatusServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) =>
      this.#answer(request.method ?? "", request.url ?? "", response),
    );
  }

  start(): Promise<void> {
    const { path, passedFd } = this.#options;
    return passedFd === undefined
      ? listenOnSocket(this.#server, path, 0o660)
      : listenOnPassed(this.#server, passedFd, path);
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #answer(method: string, url: string, response: ServerResponse): void {
    const path = url.split("?", 1)[0] ?? "";
    const traceId = TRACE_PATH.exec(path)?.[1];
    if (method !== "GET") send(response, 405, "text/plain", "only GET is answered here\n", { allow: "GET" });
    else if (path === "/status")
      send(response, 200, "application/json", JSON.stringify(this.#options.report()));
    else if (path === "/ledger")
      send(response, 200, "application/json", JSON.stringify(this.#options.ledger()));
    else if (path === "/top") send(response, 200, "application/json", JSON.stringify(this.#options.top()));
    else if (path === "/recent") void this.#answerRecent(response, url);
    else if (path === "/metrics")
      send(response, 200, "text/plain; version=0.0.4", prometheusText(this.#options.report()));
    else if (path === "/healthz") this.#answerHealth(response);
    else if (traceId !== undefined) void this.#answerTrace(response, traceId);
    else
      send(
        response,
        404,
        "text/plain",
        "there are /status, /ledger, /top, /recent, /metrics, /healthz and /traces/ID\n",
      );
  }

  async #answerTrace(response: ServerResponse, traceId: string): Promise<void> {
    const { status, body } = await this.#options.trace(traceId);
    send(response, status, "application/json", JSON.stringify(body));
  }

  async #answerRecent(response: ServerResponse, url: string): Promise<void> {
    const query = recentQuery(url);
    if (query === null) {
      const message = `minutes must be a whole number from 1 to ${MAX_RECENT_MINUTES}`;
      sendError(response, 400, "INVALID_QUERY", message);
      return;
    }
    const report = await this.#options.recent(query);
    if (report === null)
      sendError(response, 503, "BUSY", "too many ask for this at once; try again in some seconds");
    else send(response, 200, "application/json", JSON.stringify(report));
  }

  #answerHealth(response: ServerResponse): void {
    const { health, problems } = this.#options.report();
    send(
      response,
      health === "failing" ? 503 : 200,
      "application/json",
      JSON.stringify({ health, problems }),
    );
  }
}

/** Null for minutes that are none. */
function recentQuery(url: string): RecentQuery | null {
  const { searchParams } = new URL(url, "http://daemon");
  const text = searchParams.get("minutes") ?? "10";
  const minutes = Number(text);
  if (!/^\d+$/.test(text) || minutes < 1 || minutes > MAX_RECENT_MINUTES) return null;
  const app = searchParams.get("app");
  return { minutes, ...(app === null ? {} : { app }) };
}

function sendError(response: ServerResponse, status: number, code: string, message: string): void {
  send(response, status, "application/json", JSON.stringify({ error: { code, message } }));
}

function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store", ...headers });
  response.end(body);
}
