import { createServer, type Server, type ServerResponse } from "node:http";
import type { LedgerReport, StatusReport } from "@apm-daemon/protocol";
import { listenOnSocket } from "../intake/socket-path.ts";
import { prometheusText } from "./metrics.ts";

export interface StatusServerOptions {
  path: string;
  report: () => StatusReport;
  ledger: () => LedgerReport;
  /** The answer to `/traces/ID`; never rejects. */
  trace: (traceId: string) => Promise<{ status: 200 | 404 | 503; body: unknown }>;
}

const TRACE_PATH = /^\/traces\/([0-9a-f]{32})$/;

/**
 * HTTP on the status socket: `/status` and `/ledger` (JSON), `/metrics` (Prometheus), `/healthz` (200 or 503), `/traces/ID` (JSON,
 * from the journal). Only the owner's group may ask.
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
    return listenOnSocket(this.#server, this.#options.path, 0o660);
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
    else if (path === "/metrics")
      send(response, 200, "text/plain; version=0.0.4", prometheusText(this.#options.report()));
    else if (path === "/healthz") this.#answerHealth(response);
    else if (traceId !== undefined) void this.#answerTrace(response, traceId);
    else send(response, 404, "text/plain", "there are /status, /ledger, /metrics, /healthz and /traces/ID\n");
  }

  async #answerTrace(response: ServerResponse, traceId: string): Promise<void> {
    const { status, body } = await this.#options.trace(traceId);
    send(response, status, "application/json", JSON.stringify(body));
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
