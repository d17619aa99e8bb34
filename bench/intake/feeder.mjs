// One agent's side of the socket, at full speed or paced: sends encoded frames of realistic spans, keeps a bounded number of
// them unacknowledged, and prints how many spans were acknowledged in the measured time.
import { connect } from "node:net";
import {
  encodeHello,
  MessageReader,
  MessageType,
  SpanEncoder,
  slotTypeOf,
  TraceEntry,
} from "@apm-daemon/protocol";

const [socketPath, spansPerSecond, secondsText, index] = process.argv.slice(2);
const rate = Number(spansPerSecond);
const FRAMES = 64;
const MAX_UNACKNOWLEDGED = 64;
const HEADER = 5;

function attributes(shape, entries) {
  let next = shape;
  for (const [key, value] of entries) next = next.follow(key, slotTypeOf(value));
  return { shape: next, values: entries.map(([, value]) => value) };
}

const STATEMENTS = Array.from({ length: 20 }, (_, i) => `SELECT id, name FROM table_${i} WHERE id = $1`);

function encodeFrames() {
  const encoder = new SpanEncoder();
  const frames = [];
  let request = Number(index) * 10_000_000;
  while (frames.length < FRAMES) {
    encoder.begin(Date.now() * 1_000);
    for (;;) {
      const id = ++request;
      const trace = new TraceEntry(id, 1, 2, id, id, Number(index) + 1);
      const common = { trace, hasRemoteParent: false, hasError: false, extra: null };
      const spans = [0, 1, 2].map((i) => ({
        ...attributes(encoder.shapes.root("pg", 2), [
          ["db.system.name", "postgresql"],
          ["db.namespace", "shop"],
          ["db.query.text", STATEMENTS[(id + i) % STATEMENTS.length]],
          ["server.address", "db.example"],
          ["server.port", 5432],
        ]),
        name: "SELECT shop",
        ...common,
        idHi: id,
        idLo: i + 1,
        parentHi: trace.rootHi,
        parentLo: trace.rootLo,
        isLocalRoot: false,
      }));
      const root = attributes(encoder.shapes.root("http", 1), [
        ["http.request.method", "GET"],
        ["http.route", `/items/${id % 50}/:id`],
        ["url.path", `/items/${id % 50}/${id}`],
        ["server.address", "shop.example"],
        ["http.response.status_code", id % 100 === 0 ? 500 : 200],
      ]);
      spans.push({
        ...root,
        name: `GET /items/${id % 50}/:id`,
        ...common,
        idHi: trace.rootHi,
        idLo: trace.rootLo,
        parentHi: 0,
        parentLo: 0,
        isLocalRoot: true,
      });
      if (
        spans.some(
          (span, i) => encoder.add(span, 1_000_000 + i * 1_000, 500_000 + (id % 1_000) * 3_000) !== "added",
        )
      )
        break;
    }
    const spans = encoder.spans;
    frames.push({ message: Buffer.from(encoder.take(1)), spans });
  }
  return frames;
}

const frames = encodeFrames();
const meanSpans = frames.reduce((sum, { spans }) => sum + spans, 0) / frames.length;
const bytesPerSpan = frames.reduce((sum, { message }) => sum + message.length, 0) / frames.length / meanSpans;
const socket = connect(socketPath);
let sequence = 0;
let acknowledged = 0;
let acknowledgedSpans = 0;
let start = 0;
let countedFrom = 0;

const reader = new MessageReader((type, payload) => {
  if (type === MessageType.welcome) {
    start = performance.now();
    setInterval(send, 5);
    send();
  }
  if (type === MessageType.ack) {
    const upTo = payload.readUInt32LE(0);
    while (acknowledged < upTo) acknowledgedSpans += frames[++acknowledged % FRAMES].spans;
    send();
  }
});
socket.on("data", (chunk) => reader.push(chunk));
socket.on("connect", () => {
  socket.write(
    encodeHello({
      app: `bench-${index}`,
      instance: index.padStart(32, "0"),
      pid: process.pid,
      startUnixMs: Date.now(),
      runtime: "bench",
      agentVersion: "0",
      firstUnacknowledged: 1,
    }),
  );
});

function send() {
  const due =
    rate === 0 ? Number.POSITIVE_INFINITY : ((performance.now() - start) / 1_000) * (rate / meanSpans);
  while (
    sequence - acknowledged < MAX_UNACKNOWLEDGED &&
    sequence < due &&
    socket.writableLength < 1_048_576
  ) {
    const { message } = frames[++sequence % FRAMES];
    const copy = Buffer.from(message);
    copy.writeUInt32LE(sequence, HEADER);
    // The frame's base moves with the clock, so that the spans belong to the current window.
    const baseUnixUs = Date.now() * 1_000;
    copy.writeUInt32LE(baseUnixUs % 4_294_967_296, HEADER + 8);
    copy.writeUInt32LE(Math.floor(baseUnixUs / 4_294_967_296), HEADER + 12);
    socket.write(copy);
  }
}

const WARM_UP_MS = 2_000;
setTimeout(() => {
  countedFrom = acknowledgedSpans;
}, WARM_UP_MS);
setTimeout(
  () => {
    const spansPerSecondSeen = (acknowledgedSpans - countedFrom) / Number(secondsText);
    console.log(JSON.stringify({ spansPerSecond: spansPerSecondSeen, bytesPerSpan }));
    process.exit(0);
  },
  WARM_UP_MS + Number(secondsText) * 1_000,
);
