import type { RepeatAnswer } from "@apm-daemon/protocol";

/** A client of docs/api.md with what the tests read of its answers. */

export interface Statistics {
  requests: number;
  errors: number;
  errorRate: number | null;
  apdex: number | null;
  apdexTMs: number;
  satisfied: number;
  tolerating: number;
  frustrated: number;
  responseTimeMs: { avg: number; p50: number; p95: number; p99: number; max: number };
  throughputRpm: number;
  timeSplitMs: TimeSplit;
  totalTimeMs: number;
}

interface TimeSplit {
  code: number;
  database: number;
  cache: number;
  external: number;
  queue: number;
}

export interface ActionStatistics extends Statistics {
  action: string;
  kind: string;
  wallClockShare: number;
}

export interface StatusCount {
  code: number;
  count: number;
  share: number;
}

export interface Operation {
  category: string;
  system: string;
  target: string;
  operation: string;
  /** Fingerprint. */
  statement: string;
  statementText: string | null;
  calls: number;
  errors: number;
}

export interface TraceEntry {
  traceId: string;
  rootSpanId: string;
  app: string;
  action: string;
  startUnixMs: number;
  durationMs: number;
  status: number;
  error: boolean;
  spans: number;
  reason: string;
  repeats?: RepeatAnswer[];
}

export interface TraceSpan {
  spanId: string;
  parentSpanId: string;
  app: string;
  host: string;
  name: string;
  kind: string;
  category: string;
  startUnixMs: number;
  durationMs: number;
  error: boolean;
  attributes: Record<string, unknown>;
  events: { name: string; attributes: Record<string, unknown> }[];
}

export interface Trace {
  traceId: string;
  roots: TraceEntry[];
  spans: TraceSpan[];
}

/** What became of the question to one host. */
export interface AskedHost {
  host: string;
  state: string;
  spans: number;
  oldestUnixMs: number | null;
  lastSeenUnixMs: number | null;
}

export interface FetchedTrace extends Trace {
  hosts: AskedHost[];
}

export interface AppEventEntry {
  id: string;
  host: string;
  unixMs: number;
  kind: string;
  title: string;
  pid: number;
  exitCode: number | null;
  error: { type: string; message: string; stack: string } | null;
  evidence: Record<string, unknown>;
  inFlight: { action: string; traceId: string; ageMs: number }[];
  lastCalls: { system: string; name: string; statement: string; traceId: string; target: string }[];
  curve: { tsSec: number[]; rssBytes: (number | null)[]; heapUsedBytes: (number | null)[] };
  crashWindowMs: number | null;
  spansLostAtLeast: number;
}

export interface Host {
  host: string;
  cores: number;
  memTotalBytes: number;
  apps: string[];
  cpuRatio: number | null;
  memUsedRatio: number | null;
}

export interface HostSeries {
  t0: number;
  stepMs: number;
  cols: Record<string, (number | null)[]>;
}

/** Every call asks for the time from `fromUnixMs` to one minute from now, so that no test depends on the default. */
export class CollectorApi {
  readonly url: string;
  readonly #fromUnixMs: number;
  readonly #headers: Record<string, string>;

  /** `token` for a collector that wants to know who asks. */
  constructor(url: string, fromUnixMs: number, token: string | null = null) {
    this.url = url;
    this.#fromUnixMs = fromUnixMs;
    this.#headers = token === null ? {} : { authorization: `Bearer ${token}` };
  }

  async apps(): Promise<(Statistics & { app: string })[]> {
    return (await this.get<{ apps: (Statistics & { app: string })[] }>("apps")).apps;
  }

  summary(app: string): Promise<Statistics> {
    return this.get(`apps/${encodeURIComponent(app)}/summary`);
  }

  async actions(app: string): Promise<ActionStatistics[]> {
    return (await this.get<{ actions: ActionStatistics[] }>(`apps/${encodeURIComponent(app)}/actions`))
      .actions;
  }

  async statusCodes(app: string): Promise<StatusCount[]> {
    const path = `apps/${encodeURIComponent(app)}/status-codes`;
    return (await this.get<{ statusCodes: StatusCount[] }>(path)).statusCodes;
  }

  async operations(app: string, category: string): Promise<Operation[]> {
    const path = `apps/${encodeURIComponent(app)}/operations`;
    return (await this.get<{ operations: Operation[] }>(path, { category })).operations;
  }

  async traces(app: string, filter: Record<string, string> = {}): Promise<TraceEntry[]> {
    const path = `apps/${encodeURIComponent(app)}/traces`;
    return (await this.get<{ traces: TraceEntry[] }>(path, { limit: "500", ...filter })).traces;
  }

  async events(app: string): Promise<AppEventEntry[]> {
    const path = `apps/${encodeURIComponent(app)}/events`;
    return (await this.get<{ events: AppEventEntry[] }>(path, { limit: "100" })).events;
  }

  trace(traceId: string): Promise<Trace> {
    return this.get(`traces/${traceId}`);
  }

  /** Asks the hosts for a trace, kept or not; one that nobody has is answered too, without spans. */
  async fetchTrace(traceId: string, deadlineMs = 10_000): Promise<FetchedTrace & { status: number }> {
    const url = `${this.url}/api/v1/traces/${traceId}/fetch?deadlineMs=${deadlineMs}`;
    const answer = await fetch(url, { method: "POST", headers: this.#headers });
    const body = (await answer.json()) as Partial<FetchedTrace>;
    if (body.hosts === undefined)
      throw new Error(`POST ${url} answered ${answer.status}: ${JSON.stringify(body)}`);
    return { traceId, roots: [], spans: [], ...body, hosts: body.hosts, status: answer.status };
  }

  async hosts(): Promise<Host[]> {
    return (await this.get<{ hosts: Host[] }>("hosts")).hosts;
  }

  hostSeries(host: string): Promise<HostSeries> {
    return this.get(`hosts/${encodeURIComponent(host)}/series`);
  }

  /** Requests of an app, 0 while the collector has not heard of it. */
  async requestCount(app: string): Promise<number> {
    return (await this.apps()).find((entry) => entry.app === app)?.requests ?? 0;
  }

  async get<T>(path: string, parameters: Record<string, string> = {}): Promise<T> {
    const url = new URL(`/api/v1/${path}`, this.url);
    const range = { from: String(this.#fromUnixMs), to: String(Date.now() + 60_000) };
    for (const [name, value] of Object.entries({ ...range, ...parameters }))
      url.searchParams.set(name, value);
    return JSON.parse(await this.body(url)) as T;
  }

  protected async body(url: URL): Promise<string> {
    const answer = await fetch(url, { headers: this.#headers });
    const body = await answer.text();
    if (!answer.ok) throw new Error(`GET ${url.pathname} answered ${answer.status}: ${body}`);
    return body;
  }
}
