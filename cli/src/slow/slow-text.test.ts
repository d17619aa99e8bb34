import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecentReport } from "@apm-daemon/protocol";
import { noPaint } from "../terminal/paint.ts";
import { textWidth } from "../terminal/text-width.ts";
import { sampleAction, sampleCall, sampleRecent, sampleRecentTrace } from "../test-support/sample-recent.ts";
import { TRACE_ID } from "../test-support/sample-trace.ts";
import { slowText } from "./slow-text.ts";

function text(report: RecentReport, columns = 120, app?: string): string {
  return slowText(report, { columns, app, paint: noPaint });
}

test("actions, statements, slow calls and traces, each with what it says", () => {
  const page = text(sampleRecent());
  for (const expected of [
    /^web-1, the last 10 minutes: 2,000 requests, 0\.6 % failed, 120 s in all$/m,
    /^Actions +share +requests +failed +Apdex +database +external +avg +p95 +max$/m,
    /^shop {2}POST \/checkout +75 % +1,200 +1 % +0\.91 +50 % +10 % +75 ms +410 ms +2\.35 s$/m,
    /^shop {2}SELECT orders {2}postgresql db-1:5432 +37\.5 % +2,400 +0 % +18\.8 ms +60 ms +700 ms\n {2}SELECT id FROM orders WHERE customer = \?$/m,
    new RegExp(
      `^shop {2}POST /checkout +700 ms +..:..:.. +${TRACE_ID}\n {2}SELECT orders \\(postgresql\\)\n {2}at findOrders`,
      "m",
    ),
    new RegExp(`^shop {2}POST /checkout +2\\.35 s +500 +..:..:.. +${TRACE_ID}\n {2}no verdict yet$`, "m"),
    /^apm trace ID shows one of them whole$/m,
  ])
    assert.match(page, expected);
  assert.ok(!page.includes("Not remembered"));
});

test("for one app its name is not repeated; how many more there are is said, and what was not remembered", () => {
  const report = sampleRecent({
    actions: Array.from({ length: 13 }, (_, i) => sampleAction({ action: `GET /${i}` })),
    leftOut: { actions: 5, calls: 0, slowStatements: 0, traces: 1_200, minutes: 2 },
  });
  const page = text(report, 120, "shop");
  assert.match(page, /^GET \/0 +75 %/m);
  assert.match(page, /^ {2}and 3 more; --json has them$/m);
  assert.match(
    page,
    /5 rows of actions, counted as \(other\)\n {2}1,200 traces of the less slow\n {2}2 whole minutes$/,
  );
});

test("a daemon that began in between says so; nothing is said as such, also of an app that is unknown", () => {
  const { toUnixMs } = sampleRecent();
  assert.match(
    text(sampleRecent({ sinceUnixMs: toUnixMs - 90_000 })),
    /^web-1, the 1 min 30 s since the daemon's start:/,
  );
  const nothing = {
    requests: 0,
    errors: 0,
    totalTimeMs: 0,
    actions: [],
    calls: [],
    slowStatements: [],
    traces: [],
  };
  assert.match(text(sampleRecent(nothing)), /: 0 requests, 0 ms in all\n\nNo request is counted/);
  assert.match(text(sampleRecent(nothing), 80, "shpo"), /No request of an app called shpo .*"apm top" names/);
  assert.match(text(sampleRecent({ traces: [] })), /No request failed or took longer than/);
});

test("fits the terminal, and names cannot move its cursor", () => {
  const name = `订单\u001b[31m${"x".repeat(300)}`;
  const call = { app: name, operation: name, target: name, text: name };
  const report = sampleRecent({
    actions: [sampleAction({ app: name, action: name })],
    calls: [sampleCall(call), sampleCall({ ...call, system: "" })],
    traces: [sampleRecentTrace({ app: name, action: name })],
  });
  for (let columns = 60; columns <= 200; columns += 7)
    for (const line of text(report, columns).split("\n")) {
      assert.ok(textWidth(line) <= columns, `${columns}: ${line}`);
      assert.ok(!line.includes("\u001b"));
    }
});
