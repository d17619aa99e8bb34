import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Cleanup } from "../support/cleanup.ts";
import type { CollectorApi } from "../support/collector-api.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { sendAll } from "../support/load-generator.ts";
import { Program } from "../support/program.ts";
import { statusOf } from "../support/status-socket.ts";
import { type Collector, createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";

const FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
const DAY_MS = 86_400_000;
const SEAL_MS = 1_000;

interface Series {
  t0: number;
  stepMs: number;
  cols: Record<string, (number | null)[]>;
}

describe("R31: a wall clock that jumps a day ahead, and back, only labels", {
  skip: existsSync(FAKETIME) ? false : "not installed: faketime",
}, () => {
  const cleanup = new Cleanup();
  const startUnixMs = Date.now();
  let collector: Collector;
  let stateDir: StateDir;
  let clockFile: string;
  let hello: { url: string; program: Program };
  let sent = 0;

  /** The clock of host and app; the collector, on another host, has the right one. */
  function setClock(offset: string): void {
    writeFileSync(clockFile, `${offset}\n`);
  }

  before(async () => {
    clockFile = join(cleanup.tempDir(), "clock");
    setClock("+0");
    const env = {
      LD_PRELOAD: FAKETIME,
      DONT_FAKE_MONOTONIC: "1",
      FAKETIME_TIMESTAMP_FILE: clockFile,
      FAKETIME_NO_CACHE: "1",
    };
    collector = await startCollector(cleanup, new StateDir(cleanup));
    stateDir = new StateDir(cleanup);
    const keyFile = await createKeyFile(collector.stateDir, "jumps");
    const toml = `seal_interval_ms = ${SEAL_MS}\n`;
    await startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile, toml, env });
    const program = new Program({
      name: "hello",
      command: process.execPath,
      args: [
        "--require",
        "@apm-daemon/agent/register",
        fileURLToPath(new URL("../../apps/hello/app.js", import.meta.url)),
      ],
      cwd: fileURLToPath(new URL("../../apps/hello/", import.meta.url)),
      env: { ...env, APM_SOCKET: stateDir.agentSocket, PORT: String(await freePort()) },
    });
    cleanup.add(() => program.kill());
    const [, url = ""] = await program.waitForOutput(/listening on (http:\S+)/, 30_000);
    hello = { url, program };
  });
  after(() => cleanup.run());

  async function send(count: number): Promise<void> {
    const planned = { url: hello.url, method: "GET" as const, expectedStatus: 200, action: "" };
    const answers = await sendAll(
      Array.from({ length: count }, () => planned),
      4,
    );
    assert.ok(answers.every(({ status }) => status === 200));
    sent += count;
  }

  /** What the collector has, asked for a range that holds yesterday and tomorrow. */
  async function summary(
    fromMs: number,
    toMs: number,
  ): Promise<{ requests: number; max: number; avg: number }> {
    const url = `${collector.url}/api/v1/apps/hello/summary?from=${fromMs}&to=${toMs}`;
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(await answer.text());
    const { requests, responseTimeMs } = (await answer.json()) as Awaited<
      ReturnType<CollectorApi["summary"]>
    >;
    return { requests, max: responseTimeMs.max, avg: responseTimeMs.avg };
  }

  /** Waits until all that was sent is stored, which needs a seal after each jump. */
  function allArrived(): Promise<void> {
    return eventually("all requests are stored, whatever their label", 30_000, async () => {
      const { requests } = await summary(startUnixMs - 2 * DAY_MS, Date.now() + 2 * DAY_MS);
      assert.equal(requests, sent);
    });
  }

  /** The host's own values whose labels lie `day` days from now, each with its name. */
  async function hostValues(day: number): Promise<(readonly [string, number])[]> {
    const ask = async (path: string): Promise<unknown> =>
      (await fetch(`${collector.url}/api/v1/${path}`)).json();
    const around = `from=${startUnixMs - 2 * DAY_MS}&to=${Date.now() + 2 * DAY_MS}`;
    const { hosts } = (await ask(`hosts?${around}`)) as { hosts: { host: string }[] };
    const from = startUnixMs + day * DAY_MS - 10_000;
    const to = Date.now() + day * DAY_MS + 10_000;
    const { cols } = (await ask(`hosts/${hosts[0]?.host}/series?from=${from}&to=${to}`)) as Series;
    return Object.entries(cols).flatMap(([name, column]) =>
      column.flatMap((value) => (value === null ? [] : [[name, value] as const])),
    );
  }

  test("seals go on, nothing is lost or doubled, no duration is negative or a day long", async () => {
    await send(50);
    await allArrived();
    for (const [offset, day] of [
      ["+1d", 1],
      ["+0", 0],
      ["-1d", -1],
      ["+0", 0],
    ] as const) {
      setClock(offset);
      await send(50);
      // Nobody waits for the clock to catch up: with a beat of 1 s this takes seconds, not a day.
      await allArrived();
      // The requests can all be stored before the host's first second under this clock is over.
      await eventually(`the host has a second on day ${day}`, 30_000, async () => {
        assert.notEqual((await hostValues(day)).length, 0);
      });
    }
    const all = await summary(startUnixMs - 2 * DAY_MS, Date.now() + 2 * DAY_MS);
    assert.ok(all.avg >= 0 && all.max < 60_000, JSON.stringify(all));
    const traces = (await (
      await fetch(
        `${collector.url}/api/v1/apps/hello/traces?limit=500&from=${startUnixMs - 2 * DAY_MS}&to=${Date.now() + 2 * DAY_MS}`,
      )
    ).json()) as { traces: { durationMs: number; startUnixMs: number }[] };
    assert.ok(traces.traces.length > 0);
    for (const { durationMs } of traces.traces)
      assert.ok(durationMs >= 0 && durationMs < 60_000, `${durationMs} ms`);
    const labels = traces.traces.map(({ startUnixMs: at }) => Math.round((at - Date.now()) / DAY_MS));
    assert.deepEqual(
      [...new Set(labels)].sort((a, b) => a - b),
      [-1, 0, 1],
      "each has the label of its time",
    );
  });

  test("each window is labelled by the clock as it was", async () => {
    const aroundMs = 3_600_000;
    const now = Date.now();
    for (const [day, requests] of [
      [-1, 50],
      [0, 150],
      [1, 50],
    ] as const) {
      const from = startUnixMs + day * DAY_MS - aroundMs;
      assert.equal((await summary(from, now + day * DAY_MS + aroundMs)).requests, requests, `day ${day}`);
    }
  });

  test("the host's own numbers have no negative rates, and go on after the jump back", async () => {
    await sleep(3 * SEAL_MS);
    for (const day of [-1, 0, 1]) {
      const values = await hostValues(day);
      assert.ok(values.length > 0, `no seconds on day ${day}`);
      assert.deepEqual(
        values.filter(([, value]) => value < 0),
        [],
      );
    }
  });

  test("the daemon is well, keeps what it kept, and nothing waits", async () => {
    await eventually("the daemon is well", 20_000, async () => {
      const { health, problems, outbox, dropped, journal, apps } = await statusOf(stateDir);
      assert.deepEqual([health, problems, outbox.batches, Object.keys(dropped)], ["ok", [], 0, []]);
      assert.ok(journal.bytes > 0, "the journal goes by size, not by age");
      assert.deepEqual(
        apps.map(({ app }) => app),
        ["hello"],
      );
      assert.notEqual(
        apps[0]?.instances[0]?.rssBytes ?? null,
        null,
        "the app's process is still known for its own",
      );
    });
  });
});
