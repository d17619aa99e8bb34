/** `node test/dist/fuzz/make-corpus.js`: writes the well-formed part of the corpus anew, by the encoders that programs use. */
import {
  encodeAck,
  encodeBatch,
  encodeBye,
  encodeGap,
  encodeHello,
  encodeRefuse,
  encodeRuntime,
  encodeSettings,
  encodeWelcome,
  type UplinkMessage,
} from "@apm-daemon/protocol";
import { MarkedSegment } from "../../../daemon/dist/journal/segment.js";
import { writeCorpusFile } from "./corpus.ts";
import {
  fullBatchHeader,
  SAMPLE_HELLO,
  SampleFrames,
  sampleBatchHeader,
  sampleRequest,
} from "./sample-parts.ts";

const frames = new SampleFrames();
const small = frames.message([{ kind: 0, root: 1, id: 0, parent: 0, name: "n", attributes: [] }], 1);
const request = frames.message(sampleRequest(10), 2);
const failed = frames.message(sampleRequest(20, 503), 3);
const many = frames.message(Array.from({ length: 20 }, (_, i) => sampleRequest(100 + 10 * i)).flat(), 4);
const wide = frames.message(
  [
    {
      kind: 1,
      root: 9,
      id: 0,
      parent: 0,
      name: "wide",
      attributes: Array.from({ length: 128 }, (_, i): [string, string | number] => [
        `k${i}`,
        i % 2 === 0 ? i : `v${i}`,
      ]),
    },
  ],
  5,
);
const runtime = encodeRuntime(6, {
  unixMs: 1_795_420_800_000,
  eventLoopDelayP99Ms: 1.5,
  eventLoopUtilizationRatio: 0.4,
  gcPauseMs: 3,
  heapUsedBytes: 5e7,
  heapTotalBytes: 8e7,
  spansCreated: 1_000,
  spansDropped: 2,
  spansFramed: 990,
  spansReported: 2,
  inFlight: [{ action: "GET /slow", traceId: "4bf92f3577b34da6a3ce929d0e0e4736", ageMs: 1_200 }],
});
const gap = encodeGap(7, { dropped: { agent_ring_full: 12, span_too_large: 1 } });
const hello = encodeHello(SAMPLE_HELLO);
const bye = encodeBye(8, { exitCode: 0, spansCreated: 1_000, spansFramed: 998, spansReported: 2 });

const FRAMES: Record<string, Buffer> = {
  hello,
  welcome: encodeWelcome({
    version: 1,
    lastSequence: 3,
    settings: { sql: "obfuscated", flushIntervalMs: 100, overheadBudgetRatio: 0.03 },
  }),
  refuse: encodeRefuse({
    code: "TOO_MANY_CONNECTIONS",
    message: "raise limits.connections",
    retryAfterMs: 30_000,
  }),
  settings: encodeSettings({ sql: "off", flushIntervalMs: 250, overheadBudgetRatio: 0.03 }),
  ack: encodeAck(4_294_967_296),
  "spans-small": small,
  "spans-request": request,
  "spans-failed": failed,
  "spans-many": many,
  "spans-wide": wide,
  runtime,
  gap,
  bye,
  session: Buffer.concat([hello, small, request, runtime, failed, gap, bye]),
};
for (const [name, bytes] of Object.entries(FRAMES)) writeCorpusFile("frames", `${name}.bin`, bytes);

const quiet = { header: sampleBatchHeader(), frames: [] };
const full = { header: fullBatchHeader(), frames: [frames.payload(sampleRequest(1), 0)] };
for (const codec of ["none", "gzip"] as const) {
  writeCorpusFile("batches", `quiet-${codec}.bin`, encodeBatch(quiet, codec));
  writeCorpusFile("batches", `full-${codec}.bin`, encodeBatch(full, codec));
}

const { host, stream } = sampleBatchHeader();
const UPLINK: UplinkMessage[] = [
  { type: "hello", version: 1, host, stream, nextNumber: 8 },
  { type: "welcome", version: 1, collectorVersion: "0.1.0", lastNumber: 7, codecs: ["gzip", "none"] },
  { type: "ack", stream, number: 7 },
  {
    type: "nack",
    stream,
    number: 8,
    code: "OVERLOADED",
    message: "later",
    permanent: false,
    retryAfterMs: 1_000,
  },
  {
    type: "settings",
    revision: "8f14e45f",
    all: { sql: "local" },
    apps: [{ app: "shop", settings: { apdexTMs: 250 } }],
  },
];
for (const message of UPLINK)
  writeCorpusFile("uplink", `${message.type}.bin`, Buffer.from(JSON.stringify(message)));

const { firstUnacknowledged: _first, ...identity } = SAMPLE_HELLO;
const segment = new MarkedSegment(0x1234_5678);
let segmentBytes = segment.encodeHeader(4_096);
writeCorpusFile("segments", "empty.bin", segmentBytes);
segmentBytes = Buffer.concat([
  segmentBytes,
  segment.encodeInstanceRecord(segmentBytes.length, 1, JSON.stringify(identity)),
]);
for (const message of [small, request, runtime, gap]) {
  const payload = message.subarray(5);
  const type = message[4] as number;
  const prefix = segment.encodeFramePrefix(segmentBytes.length, 1, 1_795_420_800_000, type, payload);
  segmentBytes = Buffer.concat([segmentBytes, prefix, payload]);
}
writeCorpusFile("segments", "four-frames.bin", segmentBytes);
