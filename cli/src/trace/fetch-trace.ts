import type { AskedHost, FetchedTraceAnswer } from "@apm-daemon/protocol";
import { CliError } from "../cli-error.ts";
import { askDaemon, type Distrust, fetchStatus } from "../status/status-client.ts";

/** What a collector or a daemon answers when it has nothing of a trace. */
export interface MissingTrace {
  error: { code: string; message: string };
  hosts: AskedHost[];
}

export interface TraceFinding {
  answer: FetchedTraceAnswer | MissingTrace;
  /** Who answered, for people. */
  source: string;
  /** Why it is not the collector, "" when it is or was not wanted. */
  fallback: string;
}

export interface TraceQuery {
  traceId: string;
  /** Asked instead of the one that the daemon reports to. */
  collectorUrl: string | undefined;
  /** Says to a collector who asks. */
  headers: Readonly<Record<string, string>>;
  /** Ask this host's daemon alone. */
  isLocal: boolean;
  sockets: readonly string[];
  distrust: Distrust;
}

const DEADLINE_MS = 3_000;
/** The collector's own work beside the hosts', and a slow line. */
const PATIENCE_MS = 15_000;

/** Asks the collector, which asks all hosts; else this host's daemon. Throws NOTHING_LISTENING or NO_ANSWER. */
export async function fetchTrace(query: TraceQuery): Promise<TraceFinding> {
  if (query.isLocal) return await askLocally(query, "");
  const url = query.collectorUrl ?? (await fetchStatus(query.sockets, query.distrust)).uplink.url;
  const httpUrl = url.replace(/^ws/, "http").replace(/\/+$/, "");
  const outcome = await askCollector(httpUrl, query);
  if (typeof outcome !== "string")
    return { answer: outcome, source: `the collector at ${httpUrl}`, fallback: "" };
  try {
    return await askLocally(query, outcome);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    throw new CliError(error.code, `${outcome}; and ${error.message}`, { cause: error });
  }
}

/** The answer, or why there is none. */
async function askCollector(
  httpUrl: string,
  { traceId, headers }: TraceQuery,
): Promise<TraceFinding["answer"] | string> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(`${httpUrl}/api/v1/traces/${traceId}/fetch?deadlineMs=${DEADLINE_MS}`, {
      method: "POST",
      headers: { ...headers },
      redirect: "error",
      signal: AbortSignal.timeout(DEADLINE_MS + PATIENCE_MS),
    });
    body = await response.json();
  } catch (error) {
    return `the collector at ${httpUrl} cannot be reached (${reasonOf(error)})`;
  }
  if (isAnswer(body) && (response.status === 200 || response.status === 404))
    return body as TraceFinding["answer"];
  const { error } = body as { error?: { message?: unknown } };
  const reason = typeof error?.message === "string" ? error.message : `status ${response.status}`;
  const remedy =
    response.status === 401 || response.status === 403 ? "; name the token's file with --token-file" : "";
  return `the collector at ${httpUrl} does not answer this: ${reason}${remedy}`;
}

async function askLocally(query: TraceQuery, fallback: string): Promise<TraceFinding> {
  const question = { path: `/traces/${query.traceId}`, withinMs: PATIENCE_MS };
  const answer = await askDaemon(query.sockets, query.distrust, question, ({ status, text }) => {
    if (status === 404 && !text.startsWith("{")) throw new Error("it is too old to be asked for traces");
    const body: unknown = JSON.parse(text);
    if (!isAnswer(body)) throw new Error(`status ${status}`);
    return body as TraceFinding["answer"];
  });
  return { answer, source: "the journal of this host alone", fallback };
}

function isAnswer(body: unknown): boolean {
  return Array.isArray((body as { hosts?: unknown } | null)?.hosts);
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}
