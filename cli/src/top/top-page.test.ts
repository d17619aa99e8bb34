import assert from "node:assert/strict";
import { test } from "node:test";
import type { TopReport } from "@apm-daemon/protocol";
import { noPaint } from "../terminal/paint.ts";
import { textWidth } from "../terminal/text-width.ts";
import { sampleProcess, sampleTop, sampleTopApp } from "../test-support/sample-top.ts";
import { type TopPage, topPage } from "./top-page.ts";
import { FIRST_VIEW } from "./top-view.ts";

function page(report: TopReport, more: Partial<TopPage> = {}): string {
  const view = { view: FIRST_VIEW, columns: 80, rows: 23, paint: noPaint, hasKeys: true, trouble: "" };
  return topPage({ report, ...view, ...more });
}

const EVERYWHERE = { columns: 200, rows: Number.POSITIVE_INFINITY, hasKeys: false };

test("host, apps and processes in 80 columns; steal and iowait where there is some", () => {
  const text = page(sampleTop());
  assert.match(text, /^web-1 {2}● ok {2}\d\d:\d\d:\d\d {2}daemon 0\.1\.0 up 1 min 0 s/);
  assert.match(
    text,
    /^cpu {3}\[█{3}▒◦ {5}\] {3}40 % {2}user {3}30 % {2}sys {3}10 % {2}steal {4}2 % {2}iowait {4}5 %$/m,
  );
  assert.match(text, /^mem {3}\[█{4} {6}\] 37\.5 % {5}3 GiB of 8 GiB {2}cached 1 GiB$/m);
  assert.match(text, /^load {3}0\.52 {2}0\.40 {2}0\.30 {2}4 cores {2}running 2 blocked 1$/m);
  assert.match(text, /^disk {2}read {4}1 MiB\/s {2}write {4}2 KiB\/s {2}busy {3}95 % {2}wait 3\.3 ms$/m);
  assert.match(text, /^net {3}in {5}12 KiB\/s {2}out {6}1 KiB\/s {2}tcp 7$/m);
  assert.match(text, /^app +rpm▼ +avg +p95 +Apdex +errors +cpu +memory +loop +n$/m);
  assert.match(text, /^shop +1,234 12\.3 ms 88\.1 ms {3}0\.98 {2}0\.97 % {3}20 % {2}100 MiB 21\.5 ms {2}2$/m);
  assert.match(text, /^stock +30 +700 ms +2\.1 s +0\.61 +0 % +90 % +– +300 ms +1$/m);
  assert.match(text, /^ +pid user +cpu▼ +memory +threads command$/m);
  assert.match(text, /^ +9 postgres +70 % +100 MiB +1 postgres$/m);
  assert.match(text.split("\n").at(-1) ?? "", /^q quit {2}h help {2}tab table/);
  const wide = page(sampleTop(), EVERYWHERE);
  assert.ok(
    !wide.includes("nice") && !wide.includes("irq") && !wide.includes("swap") && !wide.includes("psi"),
  );
});

test("what is only there when there is some: swap, PSI, retransmits, problems, nice, old processes", () => {
  const { hostSecond, nowUnixMs } = sampleTop();
  const report = sampleTop({
    hostSecond: {
      ...hostSecond,
      cpuNiceRatio: 0.01,
      swapTotalBytes: 2 ** 30,
      swapUsedBytes: 2 ** 20,
      swapInBytesPerSecond: 4_096,
      psiCpuSomeRatio: 0.31,
      psiMemorySomeRatio: 0,
      psiIoSomeRatio: 0.02,
      tcpRetransmitsPerSecond: 3,
      netDropsPerSecond: 1,
    },
    health: "degraded",
    problems: ["the disk is slow"],
    processesTsSec: Math.floor(nowUnixMs / 1_000) - 40,
  });
  const text = page(report, EVERYWHERE);
  for (const expected of [
    /swap 1 MiB of 1 GiB {2}in 4 KiB\/s out 0 B\/s/,
    /psi cpu {3}31 % mem {4}0 % io {4}2 %/,
    /sent again 3\.0\/s {2}errors and drops 1\.0\/s/,
    /^! the disk is slow$/m,
    /nice {4}1 %/,
    /threads {2}command +\(40 s ago\)$/m,
  ])
    assert.match(text, expected);
});

test("where thousands of processes are, it says how often idle ones are read", () => {
  const crowded = { processCount: 5_012, idleProcessesEverySec: 3 };
  assert.match(page(sampleTop(crowded)), /threads +command +\(of 5012; idle every 3 s\)$/m);
  assert.doesNotMatch(page(sampleTop({ ...crowded, idleProcessesEverySec: 1 })), /idle every/);
});

test("unknown numbers are shown as such, also when there is nothing at all", () => {
  const text = page(
    sampleTop({
      hostSecond: {},
      apps: [],
      processes: [],
      processesTsSec: null,
      self: { cpuRatio: 0, rssBytes: 1 },
    }),
  );
  assert.match(text, /^cpu {3}\[ {10}\] {6}– {2}user {6}– {2}sys {6}–$/m);
  assert.match(text, /no app is connected; start one with: apm run/);
  assert.match(text, /has not looked at the processes yet/);
});

test("each table is sorted by its column; what is not known comes last", () => {
  const names = (sort: { apps: string; processes: string }): string[] =>
    [
      ...page(sampleTop(), { ...EVERYWHERE, view: { ...FIRST_VIEW, sort } }).matchAll(
        /\b(shop|stock|postgres|node|mariadbd)\b/g,
      ),
    ]
      .map(([name]) => name)
      .filter((name, i, all) => all[i - 1] !== name);
  assert.deepEqual(names({ apps: "r", processes: "c" }).slice(0, 3), ["shop", "stock", "postgres"]);
  assert.deepEqual(names({ apps: "c", processes: "m" }).slice(0, 3), ["stock", "shop", "mariadbd"]);
  assert.deepEqual(names({ apps: "m", processes: "t" }).slice(0, 3), ["shop", "stock", "mariadbd"]);
  assert.deepEqual(
    names({ apps: "x", processes: "c" }).slice(0, 2),
    ["stock", "shop"],
    "the worst Apdex first",
  );
  assert.deepEqual(names({ apps: "n", processes: "c" }).slice(0, 2), ["shop", "stock"]);
});

/** Long, wide and hostile names, more rows than any terminal. */
function crowded(): TopReport {
  const name = `订单\u001b[31m${"x".repeat(300)}`;
  return sampleTop({
    host: name,
    problems: [name, name, name],
    apps: Array.from({ length: 80 }, (_, i) => sampleTopApp({ app: `${i} ${name}`, throughputRpm: 1e7 - i })),
    appsLeftOut: 3,
    processes: Array.from({ length: 80 }, (_, i) => sampleProcess({ pid: i, user: name, command: name })),
  });
}

test("fits every terminal, never moves its cursor, and keeps the keys in its last line", () => {
  for (const rows of [3, 8, 12, 23, 49])
    for (let columns = 32; columns <= 200; columns += 7) {
      for (const view of [FIRST_VIEW, { ...FIRST_VIEW, isHelp: true }, { ...FIRST_VIEW, scrolled: 1e6 }]) {
        const lines = page(crowded(), { columns, rows, view, trouble: "nobody answers" }).split("\n");
        assert.equal(lines.length, rows);
        for (const line of lines) {
          assert.ok(textWidth(line) <= columns, `${columns}: ${line}`);
          assert.ok(!line.includes("\u001b"));
        }
        assert.match(lines.at(-1) ?? "", /^(q quit|any key)/);
      }
    }
});

test("the table that has the keys is scrolled, as far as there is something", () => {
  const at = (scrolled: number): string => page(crowded(), { view: { ...FIRST_VIEW, scrolled }, rows: 40 });
  assert.match(at(0), /^0 订单/m);
  assert.match(at(5), /^5 订单/m);
  assert.doesNotMatch(at(5), /^4 订单/m);
  assert.match(at(1e6), /^79 订单/m);
  const processes = page(crowded(), { view: { ...FIRST_VIEW, table: "processes", scrolled: 2 }, rows: 40 });
  assert.match(processes, /^0 订单/m);
  assert.doesNotMatch(processes, /^ +1 订单/m);
});

test("in a low terminal the table that has the keys is alone", () => {
  const low = (table: "apps" | "processes"): string =>
    page(sampleTop(), { rows: 12, view: { ...FIRST_VIEW, table } });
  assert.ok(low("apps").includes("stock") && !low("apps").includes("threads"));
  assert.ok(low("processes").includes("mariadbd") && !low("processes").includes("stock"));
});
