import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { RecentReport, TopReport } from "@apm-daemon/protocol";
import { textsOfBatch, waitingBatches } from "./support/batches.ts";
import { Cleanup } from "./support/cleanup.ts";
import { eventually } from "./support/eventually.ts";
import { skipWithout } from "./support/parts.ts";
import type { Program } from "./support/program.ts";
import { SpanMaker } from "./support/span-maker.ts";
import { APM_PROGRAM, runApm, StateDir, startDaemon } from "./support/system.ts";
import { takeTurn } from "./support/take-turn.ts";
import { Tmux } from "./support/tmux.ts";

const APP = "maker";
const REQUESTS = 7;
/** Statements stay on the host, where they may be seen. */
const TOML = `seal_interval_ms = 1000
[settings]
sql = "local"
`;

describe("a host without a collector", { skip: skipWithout("tmux") }, () => {
  const cleanup = new Cleanup();
  const stateDir = new StateDir(cleanup);
  const where = ["--state-dir", stateDir.path];
  let daemon: Program;

  before(async () => {
    await takeTurn(cleanup);
    daemon = await start();
    const maker = await SpanMaker.start(cleanup, { socket: stateDir.agentSocket, name: APP });
    await maker.make(REQUESTS);
  });
  after(() => cleanup.run());

  function start(): Promise<Program> {
    const keyFile = join(stateDir.path, "nobody.key");
    writeFileSync(keyFile, "apm_nobody-asks-for-this-key");
    return startDaemon(cleanup, { stateDir, collectorUrl: "ws://127.0.0.1:9", keyFile, toml: TOML });
  }

  async function shows(tmux: Tmux, pattern: RegExp): Promise<string> {
    return await eventually(`${pattern} on the screen`, 60_000, async () => {
      const screen = await tmux.screen();
      assert.match(screen, pattern);
      return screen;
    });
  }

  const top = (columns: number, rows: number): Promise<Tmux> =>
    Tmux.start(cleanup, [process.execPath, APM_PROGRAM, "top", ...where], { columns, rows });

  test("apm slow has every request, and the statements' texts, which leave the host in no batch", async () => {
    const report = await eventually("all is sealed", 60_000, async () => {
      const { stdout } = await runApm(["slow", APP, "--json", ...where]);
      const answer = JSON.parse(stdout) as RecentReport;
      assert.equal(answer.requests, REQUESTS);
      return answer;
    });
    const [action, ...otherActions] = report.actions;
    assert.deepEqual(
      [action?.action, action?.requests, action?.share, otherActions],
      ["job", REQUESTS, 1, []],
    );
    const [call, ...otherCalls] = report.calls;
    assert.deepEqual([call?.operation, call?.calls, otherCalls], ["SELECT stock", REQUESTS, []]);
    assert.equal(call?.text, "SELECT count FROM stock");
    const left = Buffer.concat(waitingBatches(stateDir).flatMap(textsOfBatch));
    assert.ok(left.includes("SELECT stock") && !left.includes("count FROM stock"));
    const page = await runApm(["slow", ...where]);
    assert.equal(page.code, 0);
    assert.match(page.stdout, /maker {2}job +100 %/);
    assert.match(page.stdout, /SELECT count FROM stock/);
  });

  test("apm top shows the app and its process, as numbers and as JSON", async () => {
    const report = await eventually(
      "the minute has the requests, the process its numbers",
      60_000,
      async () => {
        const { stdout } = await runApm(["top", "--once", "--json", ...where]);
        const answer = JSON.parse(stdout) as TopReport;
        const [app] = answer.apps;
        assert.equal(app?.requests, REQUESTS);
        assert.ok(app.rssBytes !== null && app.cpuRatio !== null && app.eventLoopDelayP99Ms !== null);
        assert.ok(answer.processes.length > 0);
        return answer;
      },
    );
    const [app] = report.apps;
    assert.ok(app?.p95Ms && app.avgMs && app.rssBytes && app.rssBytes > 1e7);
    assert.ok(report.processes.some(({ command }) => command.startsWith("node")));
    assert.equal(typeof report.hostSecond["cpuUserRatio"], "number");
    const { stdout } = await runApm(["top", "--once", ...where]);
    assert.match(stdout, /^maker +\d/m);
  });

  test("keys sort, switch tables and show the help; the page follows the terminal's size; q gives the terminal back", async () => {
    const tmux = await top(80, 24);
    const first = await shows(tmux, /rpm▼[^]*cpu▼/);
    assert.match(first, /^q quit {2}h help/m);
    assert.equal(first.trimEnd().split("\n").length, 23, "the keys are in the last line that is written");
    await tmux.type("m");
    await shows(tmux, /memory▼ +loop[^]*cpu▼/);
    await tmux.type("Tab", "t");
    await shows(tmux, /memory▼ +loop[^]*threads▼/);
    await tmux.type("h");
    await shows(tmux, /Sort the processes/);
    await tmux.type("x");
    await shows(tmux, /threads▼/);
    await tmux.resize(160, 50);
    const wide = await shows(tmux, /^q quit .*i process id/m);
    assert.equal(wide.trimEnd().split("\n").length, 49);
    await tmux.resize(50, 12);
    const small = await shows(tmux, /^q quit {2}h help {2}tab table {2}↑↓ scroll {2}c CPU$/m);
    assert.ok(!small.includes("rpm"), "there is room for one table alone");
    await tmux.type("q");
    const { screen, isAsBefore } = await tmux.end();
    assert.match(screen, /^ended with 0\n/);
    assert.ok(isAsBefore, screen);
  });

  test("Ctrl-C and signals give the terminal back, whichever it is", async () => {
    for (const stop of [
      (tmux: Tmux) => tmux.type("C-c"),
      (tmux: Tmux) => process.kill(tmux.pid, "SIGTERM"),
    ]) {
      const tmux = await top(100, 30);
      await shows(tmux, /^q quit/m);
      await stop(tmux);
      const { screen, isAsBefore } = await tmux.end();
      assert.match(screen, /^ended with 0\n/);
      assert.ok(isAsBefore, screen);
    }
  });

  test("a daemon that goes away is said to be away, and is there again when it is", async () => {
    const tmux = await top(100, 30);
    await shows(tmux, /^maker +\d/m);
    await daemon.stop();
    await shows(tmux, /^! asking again each second: no daemon listens at .*\n.*\n/m);
    assert.match(await tmux.screen(), /^maker +\d/m, "what was known last stays");
    daemon = await start();
    await eventually("nothing is wrong with asking", 60_000, async () => {
      const screen = await tmux.screen();
      assert.ok(!screen.includes("asking again"), screen);
      assert.match(screen, /^maker +0/m);
    });
    await tmux.type("q");
    assert.match((await tmux.end()).screen, /^ended with 0\n/);
  });
});

describe("apm top before a daemon that is none", { skip: skipWithout("tmux") }, () => {
  const cleanup = new Cleanup();
  after(() => cleanup.run());

  test("gives the terminal back when it fails itself, so that the reason can be read", async () => {
    const stateDir = new StateDir(cleanup);
    mkdirSync(join(stateDir.path, "run"));
    const good = {
      host: "web-1",
      health: "ok",
      problems: [],
      self: { cpuRatio: 0, rssBytes: 0 },
      hostSecond: {},
      apps: [],
      processes: [],
    };
    const times = {
      version: "1",
      startUnixMs: 0,
      nowUnixMs: 0,
      cores: 1,
      appsLeftOut: 0,
      processesTsSec: null,
    };
    let questions = 0;
    const server = createServer((_request, response) => {
      questions++;
      response.end(JSON.stringify({ ...good, ...times, ...(questions > 2 ? { apps: [null] } : {}) }));
    });
    cleanup.add(() => void server.close());
    await new Promise<void>((resolve) => {
      server.listen(join(stateDir.path, "run/status.sock"), () => resolve());
    });
    const command = [process.execPath, APM_PROGRAM, "top", "--state-dir", stateDir.path];
    const tmux = await Tmux.start(cleanup, command, { columns: 100, rows: 40 });
    const { screen, isAsBefore } = await tmux.end();
    assert.match(screen, /TypeError: .*null/);
    assert.match(screen, /^ended with 1$/m);
    assert.ok(isAsBefore, screen);
    assert.equal(questions, 3);
  });
});
