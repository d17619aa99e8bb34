import { SpanEncoder, slotTypeOf, TraceEntry } from "@apm-daemon/protocol";

/** Small journal segments are 2 MiB: five such frames begin a new one. */
const BALLAST_SPANS = 30;
const BALLAST_CHARS = 16_000;

/** A SPANS message of half a megabyte with one request, `action`, in it: few of them fill a segment of the journal. */
export function heavyFrame(sequence: number, action: string): Buffer {
  const encoder = new SpanEncoder(1_000_000);
  encoder.begin(Date.now() * 1_000);
  const trace = new TraceEntry(1, 2, 3, sequence, 4, sequence);
  const common = { trace, hasRemoteParent: false, hasError: false, extra: null };
  for (let i = 1; i <= BALLAST_SPANS; i++) {
    const ballast = `${sequence} ${i} `.padEnd(BALLAST_CHARS, ".");
    add(encoder, {
      ...common,
      ...attributes(encoder, 0, { ballast }),
      name: "ballast",
      idHi: 5,
      idLo: i,
      parentHi: trace.rootHi,
      parentLo: trace.rootLo,
      isLocalRoot: false,
    });
  }
  add(encoder, {
    ...common,
    ...attributes(encoder, 1, { "http.request.method": "GET", "http.response.status_code": 200 }),
    name: action,
    idHi: trace.rootHi,
    idLo: trace.rootLo,
    parentHi: 0,
    parentLo: 0,
    isLocalRoot: true,
  });
  return Buffer.from(encoder.take(sequence));
}

type Span = Parameters<SpanEncoder["add"]>[0];

function add(encoder: SpanEncoder, span: Span): void {
  const result = encoder.add(span, 1_000_000, 500_000);
  if (result !== "added") throw new Error(`the span is ${result}`);
}

function attributes(
  encoder: SpanEncoder,
  kind: number,
  values: Record<string, string | number>,
): Pick<Span, "shape" | "values"> {
  let shape = encoder.shapes.root("test", kind);
  for (const [key, value] of Object.entries(values)) {
    const next = shape.follow(key, slotTypeOf(value));
    if (next === null) throw new Error("too many shapes");
    shape = next;
  }
  return { shape, values: Object.values(values) };
}
