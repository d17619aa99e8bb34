/** Well-formed parts for the corpus, by the encoders that agents and daemons use. */
import {
  type AttributeValue,
  type BatchHeader,
  type Hello,
  MAX_BUCKET,
  MESSAGE_HEADER_BYTES,
  SpanEncoder,
  type SpanExtra,
  slotTypeOf,
  TraceEntry,
} from "@apm-daemon/protocol";

const BASE_UNIX_US = 1_795_420_795_000_000;

export const SAMPLE_HELLO: Hello = {
  app: "shop",
  instance: "0123456789abcdef0123456789abcdef",
  pid: 4_711,
  startUnixMs: 1_795_420_000_000,
  runtime: "node 20.20.2",
  agentVersion: "0.1.0",
  firstUnacknowledged: 1,
};

export interface SampleSpan {
  name: string;
  kind: number;
  /** Number of the local root this span belongs to. */
  root: number;
  /** 0 for the local root itself. */
  id: number;
  /** 0: none; -1: the local root. */
  parent: number;
  attributes: [key: string, value: AttributeValue][];
  durationNs?: number;
  hasError?: boolean;
  hasRemoteParent?: boolean;
  extra?: SpanExtra;
}

/** Writes sample spans as an agent would. */
export class SampleFrames {
  readonly #encoder = new SpanEncoder();
  readonly #traces = new Map<number, TraceEntry>();

  /** A whole SPANS message. */
  message(spans: readonly SampleSpan[], sequence: number): Buffer {
    this.#encoder.begin(BASE_UNIX_US);
    spans.forEach((span, i) => this.#add(span, 1_000_000 * (i + 1)));
    return Buffer.from(this.#encoder.take(sequence));
  }

  payload(spans: readonly SampleSpan[], sequence: number): Buffer {
    return this.message(spans, sequence).subarray(MESSAGE_HEADER_BYTES);
  }

  #add(span: SampleSpan, endOffsetNs: number): void {
    const trace = this.#traceOf(span.root);
    let shape = this.#encoder.shapes.root("sample", span.kind);
    for (const [key, value] of span.attributes) {
      const next = shape.follow(key, slotTypeOf(value));
      if (next === null) throw new Error("too many attributes");
      shape = next;
    }
    const isLocalRoot = span.id === 0;
    const record = {
      shape,
      values: span.attributes.map(([, value]) => value),
      name: span.name,
      trace,
      idHi: isLocalRoot ? trace.rootHi : 7,
      idLo: isLocalRoot ? trace.rootLo : span.id,
      parentHi: span.parent === -1 ? trace.rootHi : 0,
      parentLo: span.parent === -1 ? trace.rootLo : span.parent,
      isLocalRoot,
      hasRemoteParent: span.hasRemoteParent ?? false,
      hasError: span.hasError ?? false,
      extra: span.extra ?? null,
    };
    const result = this.#encoder.add(record, endOffsetNs, span.durationNs ?? 500_000);
    if (result !== "added") throw new Error(`a sample span is ${result}`);
  }

  #traceOf(root: number): TraceEntry {
    const known = this.#traces.get(root) ?? new TraceEntry(1, 2, 3, root, 0x1000, root);
    this.#traces.set(root, known);
    return known;
  }
}

const HTTP: SampleSpan["attributes"] = [
  ["http.request.method", "GET"],
  ["http.route", "/items/:id"],
  ["url.path", "/items/1"],
];
const QUERY: SampleSpan["attributes"] = [
  ["db.system.name", "postgresql"],
  ["db.query.text", "SELECT * FROM items WHERE id = ?"],
  ["db.operation.name", "SELECT"],
  ["db.collection.name", "items"],
  ["server.address", "db.example"],
  ["server.port", 5_432],
];
const EXCEPTION: SpanExtra = {
  statusMessage: "broke",
  events: [
    {
      name: "exception",
      offsetNs: 1_000,
      attributes: {
        "exception.type": "TypeError",
        "exception.message": 'cannot read "id" of item 7f3a-11',
        "exception.stacktrace":
          "TypeError: x\n    at handler (/app/shop.js:12:5)\n    at run (/app/run.js:1:1)",
      },
    },
  ],
  links: [
    { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7", attributes: { why: "retry" } },
  ],
  attributes: { late: true, many: ["a", 1, null] },
  droppedAttributes: 2,
};

/** A request with calls of each category and values of each type; `first` numbers its roots. */
export function sampleRequest(first: number, status = 200): SampleSpan[] {
  const call = { kind: 2, root: first, parent: -1 };
  return [
    { ...call, id: 11, name: "SELECT items", attributes: QUERY },
    { ...call, id: 12, name: "SELECT items", attributes: QUERY },
    {
      ...call,
      id: 13,
      name: "GET",
      attributes: [["db.system.name", "redis"]],
      hasError: true,
      extra: EXCEPTION,
    },
    {
      ...call,
      id: 14,
      parent: 11,
      name: "POST",
      attributes: [
        ["http.request.method", "POST"],
        ["server.address", "api.example"],
        ["server.port", 443],
        ["ratio", 0.25],
        ["cached", false],
        ["tags", ["a", "b", 3, null, true]],
      ],
    },
    { ...call, kind: 0, id: 15, name: "prüfen ✓", attributes: [["größe", "läuft"]], durationNs: 9e12 },
    {
      kind: 1,
      root: first,
      id: 0,
      parent: 99,
      name: "GET /items/:id",
      attributes: [...HTTP, ["http.response.status_code", status], ["apm.queue_time_ms", 1.5]],
      hasError: status >= 500,
      hasRemoteParent: true,
      ...(status >= 500 ? { extra: EXCEPTION } : {}),
    },
    { kind: 4, root: first + 1, id: 0, parent: 0, name: "nightly", attributes: [], durationNs: 6e9 },
    { kind: 2, root: first + 2, id: 0, parent: 0, name: "SELECT", attributes: QUERY },
  ];
}

const HISTOGRAM = { buckets: [0, 100, 320, MAX_BUCKET], counts: [1, 2, 3, 4] };

/** A header with a row of each kind but traces. */
export function sampleBatchHeader(): BatchHeader {
  const tsSec = 1_795_420_790;
  return {
    version: 1,
    stream: "0f8fad5b-d9cb-469f-a165-70867728950e",
    number: 7,
    createdUnixMs: 1_795_420_800_200,
    host: {
      id: "4d5e6f",
      name: "web-1",
      os: "Debian GNU/Linux 12",
      kernel: "6.1.0",
      arch: "x64",
      cpuModel: "a processor",
      cores: 4,
      memTotalBytes: 8_000_000_000,
      virtualization: "kvm",
      bootUnixMs: 1_795_000_000_000,
      daemonVersion: "0.1.0",
      nodeVersion: "20.19.0",
    },
    apps: [],
    hostSeconds: {
      tsSec: [tsSec, tsSec + 1],
      columns: { cpuBusyRatio: [0.5, null], memUsedBytes: [1e9, 1.1e9] },
    },
    hostSnapshot: null,
    processSeconds: [],
    actions: [],
    operations: [],
    statements: [],
    errors: [],
    ledger: [],
    traces: [],
    journal: { sealed: 2_000, replayFrom: 1_000 },
  };
}

/** The same with one row of everything. */
export function fullBatchHeader(): BatchHeader {
  const header = sampleBatchHeader();
  const tsSec = 1_795_420_790;
  const { instance, pid, runtime, agentVersion, startUnixMs } = SAMPLE_HELLO;
  const times = { sumUs: 9_000.5, maxUs: 5_000 };
  return {
    ...header,
    apps: [
      { app: "shop", apdexTMs: 500, instances: [{ instance, pid, runtime, agentVersion, startUnixMs }] },
    ],
    hostSnapshot: {
      tsSec,
      coreBusyRatios: [0.1, 0.9],
      disks: [{ name: "sda", readBytesPerSecond: 1, writeBytesPerSecond: 2, busyRatio: 0.1, awaitMs: 3 }],
      interfaces: [
        {
          name: "eth0",
          receiveBytesPerSecond: 1,
          transmitBytesPerSecond: 2,
          errorsPerSecond: 0,
          dropsPerSecond: 0,
        },
      ],
      filesystems: [{ mount: "/", type: "ext4", sizeBytes: 100, usedBytes: 60, availableBytes: 40 }],
      topProcesses: [{ pid: 1, user: "root", command: "init", cpuRatio: 0, rssBytes: 1, threads: 1 }],
    },
    processSeconds: [
      { app: "shop", instance, pid, tsSec: [tsSec], columns: { cpuRatio: [0.5], rssBytes: [1e8] } },
    ],
    actions: [
      {
        tsSec,
        app: "shop",
        action: "GET /items/:id",
        kind: "web",
        status: 200,
        requests: 10,
        errors: 1,
        satisfied: 7,
        tolerating: 2,
        frustrated: 1,
        ...times,
        codeUs: 4_000,
        databaseUs: 3_000,
        cacheUs: 1_000,
        externalUs: 1_000.5,
        queueUs: 0,
        histogram: HISTOGRAM,
      },
    ],
    operations: [
      {
        tsSec,
        app: "shop",
        action: "GET /items/:id",
        category: "database",
        system: "postgresql",
        target: "db.example:5432",
        operation: "SELECT items",
        statement: "00112233445566ff",
        calls: 10,
        errors: 0,
        ...times,
        histogram: HISTOGRAM,
      },
    ],
    statements: [{ fingerprint: "00112233445566ff", app: "shop", system: "postgresql", text: "SELECT ?" }],
    errors: [
      {
        tsSec,
        app: "shop",
        action: "GET /items/:id",
        group: "ffeeddccbbaa0099",
        type: "TypeError",
        message: "broke",
        stack: "TypeError: broke\n    at x",
        count: 1,
        traceId: "",
      },
    ],
    ledger: [{ tsSec, app: "shop", created: 84, received: 80, dropped: { agent_ring_full: 3 } }],
    ledgerState: {
      apps: [{ app: "shop", created: 84, received: 80, dropped: { agent_ring_full: 3 } }],
      instances: [{ instance, app: "shop", created: 84, framed: 80, reported: 3, ended: 0 }],
    },
    journal: { sealed: 2_000, replayFrom: 1_000, open: [[`${instance}1.2`, 1_000, 1]] },
    traces: [
      {
        traceId: "00000001000000020000000300000001",
        rootSpanId: "0000100000000001",
        app: "shop",
        instance,
        action: "GET /items/:id",
        kind: "web",
        startUnixMs: 1_795_420_795_000.5,
        durationUs: 500,
        status: 200,
        error: false,
        spans: 6,
        reason: "random",
      },
    ],
  };
}
