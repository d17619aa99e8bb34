import assert from "node:assert/strict";
import { test } from "node:test";
import { noPaint } from "../terminal/paint.ts";
import { textWidth } from "../terminal/text-width.ts";
import { idOf, START_MS, sampleSpan, sampleTrace } from "../test-support/sample-trace.ts";
import { spanTree } from "./span-tree.ts";
import { traceText } from "./trace-text.ts";

function shown(changes: Parameters<typeof sampleTrace>[0] = {}, columns = 80): string[] {
  const page = { columns, nowUnixMs: START_MS + 90_000, paint: noPaint };
  return traceText(sampleTrace(changes), page).split("\n");
}

test("shows a trace as a tree with its bars, then the hosts that could not say all", () => {
  assert.deepEqual(shown(), [
    "POST /checkout  412 ms  502  failed",
    "trace 4bf92f3577b34da6a3ce929d0e0e4736",
    "2026-09-21T14:13:20.000Z, 21 spans, 3 apps on 3 hosts",
    "",
    "                                            start    took",
    "✗ POST /checkout  shop@web-1                 0 ms  412 ms ██████████████████████",
    "├ SELECT users  SELECT id, name, email …     2 ms  4.2 ms █",
    "├ GET db-1                                   8 ms   90 ms █████",
    "│ └ GET /items/:id  stock@db-1              12 ms   80 ms █████",
    "│   ├ 12 × GET item                         14 ms  9.6 ms ██",
    "│   └ SELECT items  SELECT * FROM items…    40 ms 41.5 ms   ██",
    "├ ✗ POST pay-eu-west-1.internal            101 ms  300 ms      ████████████████",
    "│ └ ✗ POST /v2/char…  payments-gateway@…   104 ms  290 ms      ████████████████",
    "│     CardDeclined: the bank said no: insufficient funds",
    "│   └ risk score                           110 ms  180 ms      ██████████",
    "└ ROLLBACK                                 404 ms  1.1 ms                      █",
    "",
    "More spans may exist; these hosts could not say all they know:",
    "  pay-eu-west-1.internal  2 spans, maybe more: its search ran out of time",
    "  web-2                   offline, last heard of 30 s ago",
    "  web-3                   overwritten: its journal reaches back 1 min 25 s only",
    "  web-4                   connected, but no answer in time",
    "Answered in full:",
    "  web-1  5 spans",
    "  db-1   14 spans",
  ]);
});

test("fits the terminal, whatever its width and however deep and wide the names are", () => {
  const deep = Array.from({ length: 60 }, (_, n) =>
    sampleSpan(n + 1, n === 0 ? null : n, {
      name: `订单查询 ${"x".repeat(n * 3)}`,
      app: `店铺 ${n % 3}`,
      host: "数据库主机".repeat(10),
      error: n % 2 === 0,
      statusMessage: "很长的消息".repeat(50),
    }),
  );
  for (const columns of [1, 60, 61, 80, 120, 200, 500]) {
    const limit = Math.min(Math.max(columns, 60), 200);
    for (const line of shown({ spans: deep, hosts: [] }, columns)) assert.ok(textWidth(line) <= limit, line);
  }
});

test("names from apps cannot move the cursor or colour the page", () => {
  const hostile = "\u001b[2Jx\u0007\n\u202e";
  const spans = [
    sampleSpan(1, null, {
      name: hostile,
      app: hostile,
      host: hostile,
      error: true,
      statusMessage: `${hostile}y`,
    }),
    sampleSpan(2, 1, { name: hostile, category: "database", attributes: { "db.query.text": hostile } }),
  ];
  const { roots, hosts } = sampleTrace();
  const page = shown({
    spans,
    roots: roots.map((root) => ({
      ...root,
      action: hostile,
      app: hostile,
      host: hostile,
      reason: "unfinished",
    })),
    hosts: hosts.map((host) => ({ ...host, host: hostile, gap: hostile })),
  });
  assert.doesNotMatch(page.join(""), /[\p{Cc}\u202e]/u);
});

test("says of a request that has not ended where it hangs, and not that it went well", () => {
  const [root] = sampleTrace().roots;
  assert.ok(root);
  const lines = shown({
    roots: [{ ...root, reason: "unfinished", action: "(unfinished)", status: 0, error: false }],
  });
  assert.equal(lines[0], "(unfinished)  412 ms");
  assert.ok(lines.includes("not ended yet: the request in shop on web-1"));
});

test("names what was called often below one span, with its statement if that is here", () => {
  const repeat = {
    parentSpanId: idOf(4),
    system: "mysql",
    operation: "SELECT items",
    calls: 1_234,
    totalTimeMs: 41.5,
  };
  const spans = [
    sampleSpan(4, null, { name: "GET /items/:id" }),
    sampleSpan(5, 4, {
      attributes: {
        "db.query.text": "SELECT *\n  FROM items WHERE id = ?",
        "apm.statement.fingerprint": "ab",
      },
    }),
  ];
  const [root] = sampleTrace().roots;
  assert.ok(root);
  const repeats = [
    { ...repeat, statement: "ab" },
    { ...repeat, statement: "cd", parentSpanId: idOf(99) },
    { ...repeat, statement: "", system: "redis", operation: "GET" },
  ];
  const lines = shown({ spans, roots: [{ ...root, spans: 2, repeats }] });
  assert.deepEqual(lines.slice(3, 9), [
    "1,234 × SELECT * FROM items WHERE id = ?",
    "  under GET /items/:id, 41.5 ms; one statement (IN, a join) could do",
    "1,234 × SELECT items (mysql)",
    "  under POST /checkout, 41.5 ms; one statement (IN, a join) could do",
    "1,234 × GET (redis)",
    "  under GET /items/:id, 41.5 ms; one command could do",
  ]);
  for (const columns of [60, 80, 200]) {
    const name = "x".repeat(500);
    const long = shown(
      {
        spans: spans.map((span) => ({ ...span, name })),
        roots: [{ ...root, action: name, repeats }],
        hosts: [],
      },
      columns,
    );
    for (const line of long) assert.ok(textWidth(line) <= columns, line);
  }
});

test("says how many spans did not come", () => {
  const { roots } = sampleTrace();
  const lines = shown({ roots: roots.map((root) => ({ ...root, spans: 2_000 })) });
  assert.match(lines[2] ?? "", /, 21 of 6,000 spans, /);
});

test("each span is in one row: also those without a parent, and those that are each other's ancestors", () => {
  const spans = [
    sampleSpan(1, 99),
    sampleSpan(2, 1),
    sampleSpan(3, 4),
    sampleSpan(4, 3),
    sampleSpan(5, 5),
    ...Array.from({ length: 3 }, (_, i) => sampleSpan(10 + i, 2, { name: "same" })),
  ];
  const rows = spanTree(spans);
  const ids = rows.flatMap((row) => row.spans.map(({ spanId }) => spanId));
  assert.deepEqual(ids.toSorted(), spans.map(({ spanId }) => spanId).toSorted());
  assert.equal(ids[0], idOf(1));
  assert.equal(rows[0]?.isOrphan, true);
  assert.deepEqual(
    rows.slice(0, 2).map(({ follows }) => follows.length),
    [1, 2],
  );
});

test("four like calls in a row are one line, three are not; a failure among them is marked", () => {
  const calls = (count: number) =>
    Array.from({ length: count }, (_, i) =>
      sampleSpan(10 + i, 1, { name: "GET", error: i === 2, durationMs: 2 }),
    );
  const linesOf = (count: number): string[] =>
    shown({ spans: [sampleSpan(1, null), ...calls(count)] }).filter((line) => /GET/.test(line));
  assert.equal(linesOf(3).length, 3);
  assert.equal(linesOf(4).length, 1);
  assert.match(linesOf(4)[0] ?? "", /└ ✗ 4 × GET .* 8 ms/);
});
