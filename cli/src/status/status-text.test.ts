import assert from "node:assert/strict";
import { test } from "node:test";
import type { LibrariesReport, StatusInstance, StatusReport } from "@apm-daemon/protocol";
import { checkApps } from "../doctor/apps.ts";
import type { Examined } from "../doctor/examined.ts";
import { noPaint } from "../terminal/paint.ts";
import { sampleStatus } from "../test-support/sample-status.ts";
import { statusText } from "./status-text.ts";

const NOW = 1_790_000_060_000;

test("a healthy daemon, line by line", () => {
  assert.equal(
    statusText(sampleStatus(), NOW, noPaint),
    `web-1  ● ok  apm-daemon 0.1.0 · pid 4711 · up 1 min 0 s · own cost 0.4 % of a core, 62 MiB

Host
  cpu      12.3 %  iowait 1 %  steal –
  load     0.52  0.40  0.30
  memory   3 GiB of 8 GiB  swap 0 B
  disks    – busy  read –/s  write –/s
  network  in 12 KiB/s  out 1 KiB/s

Apps    requests/min  errors  Apdex  average  processes   cpu   memory
  shop         1,234  0.97 %   0.98  12.3 ms          2  20 %  100 MiB

Data
  spans    12,345 in 99 frames, 1 MiB; 2 connections, 0 refused, 1 malformed
  journal  2 MiB of 256 MiB in 1 segment; 1 MiB not sealed yet
  outbox   0 batches, 0 B of 512 MiB
  uplink   connected, ws://127.0.0.1:8460; last acknowledged 4 s ago; 6 batches, 33.8 KiB sent
  lost     nothing
  socket   /run/apm-daemon/agent.sock`,
  );
});

test("how many processes a host has, and that idle ones among thousands are read less often", () => {
  const text = (idleEverySec: number): string => {
    const processes = { count: 5_012, read: 2_048, idleEverySec, unlisted: 0 };
    return statusText(
      sampleStatus({ sampling: { failing: [], processes, refusedProcesses: 0 } }),
      NOW,
      noPaint,
    );
  };
  assert.match(text(1), /^ {2}procs {4}5,012$/m);
  assert.match(text(3), /^ {2}procs {4}5,012, those that use no CPU are read every 3 s$/m);
});

test("where an app's processes come from stands below its numbers, each value once", () => {
  const [shop] = sampleStatus().apps;
  const [first, second] = shop?.instances ?? [];
  assert.ok(shop && first && second);
  const text = (instances: StatusInstance[]): string =>
    statusText(sampleStatus({ apps: [{ ...shop, instances }, shop] }), NOW, noPaint);
  const here = { appVersion: "1.4.2", systemdUnit: "shop.service" };
  assert.match(
    text([
      { ...first, ...here },
      { ...second, ...here, containerId: "0123456789abcdef" },
    ]),
    /^ {2}shop .*\n {4}version 1\.4\.2 · unit shop\.service · container 0123456789ab\n {2}shop /m,
  );
  const many = ["1", "2", "\u001b[31m3", "4", "5"].map((appVersion) => ({ ...first, appVersion }));
  assert.match(text(many), /^ {4}version 1, 2, .*3 and 2 more$/m);
  assert.equal(text(many).includes("\u001b"), false);
});

test("the libraries that an app's agents record stand below it, those that they cannot in the doctor's findings", () => {
  const [shop] = sampleStatus().apps;
  const [first, second] = shop?.instances ?? [];
  assert.ok(shop && first && second);
  const pg = { name: "pg", version: "8.23.1", state: "recorded" as const };
  const redis = { name: "@redis/client", version: "6.3.1", state: "failed" as const };
  const express = { name: "express", version: "", state: "bundled" as const };
  const status = (libraries: LibrariesReport): StatusReport =>
    sampleStatus({
      apps: [
        {
          ...shop,
          instances: [
            { ...first, libraries },
            { ...second, libraries },
          ],
        },
      ],
    });
  const plain = status({ bundler: null, found: [pg, redis] });
  assert.match(statusText(plain, NOW, noPaint), /^ {2}shop .*\n {4}records pg 8\.23\.1\n/m);
  const found = (report: StatusReport): string[] =>
    checkApps({ status: report } as Examined).map(({ level, found }) => `${level}: ${found}`);
  assert.deepEqual(found(plain).slice(1), ["warning: shop: the agent could not hook @redis/client 6.3.1"]);
  assert.deepEqual(found(status({ bundler: "esbuild", found: [express] })).slice(1), [
    "warning: shop is bundled by esbuild: express cannot be recorded, HTTP is",
  ]);
  assert.deepEqual(found(status({ bundler: "webpack", found: [] })).slice(1), [
    "warning: shop is bundled by webpack: libraries within the bundle cannot be recorded, HTTP is",
  ]);
  assert.equal(found(status({ bundler: null, found: [pg] })).length, 1);
});

test("problems, a broken uplink, a backlog and losses are named", () => {
  const { outbox, uplink } = sampleStatus();
  const text = statusText(
    sampleStatus({
      health: "degraded",
      problems: ["the collector cannot be reached: start it"],
      outbox: { ...outbox, batches: 30, bytes: 300_000, oldestUnixMs: NOW - 300_000 },
      uplink: { ...uplink, state: "waiting", reason: "ECONNREFUSED", lastAckUnixMs: null },
      dropped: { shop: { agent_ring_full: 1_500, other: 0 } },
    }),
    NOW,
    noPaint,
  );
  assert.match(text, /● degraded/);
  assert.match(text, /^ {2}! the collector cannot be reached: start it$/m);
  assert.match(text, /^ {2}outbox +30 batches, 293 KiB of 512 MiB, the oldest of 5 min 0 s ago$/m);
  assert.match(text, /^ {2}uplink +waiting \(ECONNREFUSED\), .*nothing acknowledged yet/m);
  assert.match(text, /^ {2}lost +1,500 spans of shop \(agent_ring_full\)$/m);
});

test("how processes ended is told when some did, the newest five", () => {
  assert.doesNotMatch(statusText(sampleStatus(), NOW, noPaint), /Ended/);
  const events = Array.from({ length: 6 }, (_, i) => ({
    tsMs: NOW - (i + 1) * 60_000,
    app: "shop",
    pid: 100 + i,
    kind: "crash" as const,
    title: "killed by the kernel:\u001b[31m out of memory",
  }));
  const text = statusText(sampleStatus({ events }), NOW, noPaint);
  assert.match(text, /^Ended +app +pid +how$/m);
  assert.match(text, /^ {2}1 min 0 s ago +shop +100 +killed by the kernel:\\u\{1b\}\[31m out of memory$/m);
  assert.match(text, / 104 /);
  assert.doesNotMatch(text, / 105 /);
});

test("frames that came again or are missing, and traces that did not fit, are told when there are any", () => {
  const { intake } = sampleStatus();
  const text = statusText(
    sampleStatus({
      intake: { ...intake, duplicates: 3, sequenceJumps: 1 },
      traces: { passedOver: 1_200 },
    }),
    NOW,
    noPaint,
  );
  assert.match(text, /1 malformed, 3 repeated, 1 out of sequence, 1,200 traces passed over$/m);
});

test("users are named when there are several or one has to wait, and what is not proven is called claimed", () => {
  const { intake, apps } = sampleStatus();
  const [app] = apps;
  assert.ok(app);
  const user = {
    connections: 1,
    bytes: 1,
    bytesPerSecond: 2_048,
    isThrottled: false,
    throttledMs: 0,
    refused: 0,
  };
  const proven = { ...intake, origin: "proven" as const, users: [{ ...user, uid: 33, name: "www-data" }] };
  assert.doesNotMatch(statusText(sampleStatus({ intake: proven }), NOW, noPaint), /users|origin|refused by/);
  const text = statusText(
    sampleStatus({
      apps: [
        { ...app, instances: app.instances.map((instance) => ({ ...instance, origin: "claimed" as const })) },
      ],
      intake: {
        ...intake,
        origin: "claimed",
        falsePids: 2,
        refusedBy: { message_late: 1_000 },
        users: [
          { ...user, uid: 7, name: "evil\u001b", isThrottled: true, throttledMs: 61_000, refused: 3 },
          { ...user, uid: null, name: "" },
        ],
      },
    }),
    NOW,
    noPaint,
  );
  assert.match(text, /^ {2}origin +claimed: uid and pid of the apps are not proven by the kernel$/m);
  assert.match(
    text,
    /^ {2}users +evil\\u\{1b\} 1 connection, 2 KiB\/s, 3 refused, throttled 1 min 1 s; not proven 1 connection, 2 KiB\/s$/m,
  );
  assert.match(text, /^ {2}refused +1,000 message late$/m);
  assert.match(text, /shop .* 2 claimed /);
  assert.match(text, /, 2 with a false pid$/m);
});

test("without an app it says how to start one", () => {
  assert.match(statusText(sampleStatus({ apps: [] }), NOW, noPaint), /apm run/);
});

test("names of apps cannot play with the terminal", () => {
  const [app] = sampleStatus().apps;
  assert.ok(app);
  const text = statusText(sampleStatus({ apps: [{ ...app, app: "\u001b[31mred\r\nnext" }] }), NOW, noPaint);
  assert.ok(!text.includes("\u001b") && !text.includes("\r"));
  assert.ok(text.includes("\\u{1b}[31mred\\u{d}\\u{a}next"));
});

test("colours mark the health only where colours are wanted", () => {
  const marked = statusText(sampleStatus(), NOW, (style, text) => `<${String(style)}>${text}</>`);
  assert.ok(marked.includes("<green>● ok</>"));
});
