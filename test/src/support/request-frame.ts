import { SpanEncoder, slotTypeOf, TraceEntry } from "@apm-daemon/protocol";

/** A SPANS message with requests, sequence number 1: `spans` of them in one trace each, ended now. */
export function requestFrame(spans: number): Buffer {
  const encoder = new SpanEncoder();
  encoder.begin(Date.now() * 1_000);
  for (let number = 1; number <= spans; number++) {
    let shape = encoder.shapes.root("http", 1);
    const attributes: [string, string | number][] = [
      ["http.request.method", "GET"],
      ["http.route", "/items/:id"],
      ["http.response.status_code", 200],
    ];
    for (const [key, value] of attributes) {
      const next = shape.follow(key, slotTypeOf(value));
      if (next === null) throw new Error("too many shapes");
      shape = next;
    }
    const trace = new TraceEntry(number, 1, 2, number, number, 1);
    const result = encoder.add(
      {
        shape,
        values: attributes.map(([, value]) => value),
        name: "GET /items/:id",
        trace,
        idHi: trace.rootHi,
        idLo: trace.rootLo,
        parentHi: 0,
        parentLo: 0,
        isLocalRoot: true,
        hasRemoteParent: false,
        hasError: false,
        extra: null,
      },
      0,
      1_000_000,
    );
    if (result !== "added") throw new Error(`the span is ${result}`);
  }
  return Buffer.from(encoder.take(1));
}
