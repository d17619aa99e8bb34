import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join, sep } from "node:path";
import { after, before, describe, test } from "node:test";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { HostileAgent } from "../support/hostile-agent.ts";
import { findProgram, skipWithout } from "../support/parts.ts";
import { Program } from "../support/program.ts";
import { statusOf } from "../support/status-socket.ts";
import { type Collector, createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";
import { UplinkSocket } from "../support/uplink-socket.ts";

/** Is in every hostile name: no path that the programs give to the kernel may hold it. */
const CANARY = "s10canary";
const CORPUS = [
  `../../../../tmp/${CANARY}`,
  `/tmp/${CANARY}`,
  `..\\..\\${CANARY}`,
  `%2e%2e%2f${CANARY}`,
  `${CANARY}/../../up`,
  `./${CANARY}`,
  `~root/${CANARY}`,
  `$(touch ${CANARY})`,
  `\`touch ${CANARY}\``,
  `; touch ${CANARY} #`,
  `--state-dir=${CANARY}`,
  `${CANARY}.duckdb`,
  `file:///tmp/${CANARY}`,
  `${CANARY}'; ATTACH '/tmp/${CANARY}.db'; --`,
];

describe("S10: names from the wire are names, never paths", { skip: skipWithout("strace") }, () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let stateDir: StateDir;
  let keyFile: string;
  let traces: Program[];

  before(async () => {
    collector = await startCollector(cleanup, new StateDir(cleanup));
    stateDir = new StateDir(cleanup);
    keyFile = await createKeyFile(collector.stateDir, "names");
    const toml = `seal_interval_ms = 1000\nhost_name = "../../tmp/${CANARY}-host"\n`;
    const daemon = await startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile, toml });
    traces = [daemon.pid, collector.program.pid].map((pid) => traceFileCalls(cleanup, pid));
    await Promise.all(traces.map((trace) => trace.waitForOutput(/attached/)));
  });
  after(() => cleanup.run());

  test("apps, actions and the host keep their names to the console", async () => {
    for (const name of CORPUS) {
      const agent = await HostileAgent.greet(stateDir.agentSocket, { app: name });
      await agent.report(CORPUS);
    }
    await eventually("all apps are in the API under their names", 30_000, async () => {
      const apps = (await collector.api.apps()).map(({ app }) => app);
      assert.deepEqual(apps.sort(), [...CORPUS].sort());
    });
    const actions = (await collector.api.actions(CORPUS[0] ?? "")).map(({ action }) => action);
    assert.deepEqual(actions.sort(), [...CORPUS].sort());
    assert.deepEqual(
      (await collector.api.hosts()).map(({ host }) => host),
      [`../../tmp/${CANARY}-host`],
    );
  });

  test("instance and stream ids that are paths are refused", async () => {
    for (const instance of CORPUS) {
      const agent = await HostileAgent.greet(stateDir.agentSocket, { instance });
      await agent.socket.waitForClose();
      assert.equal(agent.socket.messages("refuse").length, 1);
    }
    const key = readFileSync(keyFile, "utf8").trim();
    for (const stream of CORPUS) {
      const uplink = await UplinkSocket.open(cleanup, collector.uplinkUrl, key);
      uplink.sendHello(stream);
      await eventually("the collector closes the uplink", 10_000, () => assert.ok(!uplink.isOpen));
    }
  });

  test("an address of the console or the API reaches no other file", async () => {
    for (const name of CORPUS) {
      for (const prefix of ["/", "/assets/", "/api/v1/apps/", "/api/v1/traces/", "/api/v1/hosts/"]) {
        for (const path of [prefix + name.replaceAll(" ", "%20"), prefix + encodeURIComponent(name)]) {
          const answer = await rawGet(collector.port, path);
          assert.match(answer, /^HTTP\/1\.1 [24]\d\d /, path);
          assert.doesNotMatch(answer, /root:x:0|sha256/);
        }
      }
    }
    const { health } = await statusOf(stateDir);
    assert.equal(health, "ok");
  });

  test("no name reached the file system", async () => {
    for (const trace of traces) await trace.stop("SIGINT");
    const calls = traces.flatMap((trace) => trace.stderr.split("\n")).filter((line) => line.includes("("));
    assert.ok(calls.length > 50, "the programs opened files while they were watched");
    assert.deepEqual(
      calls.filter((line) => line.includes(CANARY)),
      [],
    );
    for (const dir of [stateDir.path, collector.stateDir.path]) {
      // One folder up too: a name with ".." would have left the state folder.
      const files = readdirSync(dirname(dir), { recursive: true, encoding: "utf8" });
      assert.deepEqual(
        files.filter((file) => file.includes(CANARY)),
        [],
      );
    }
    const named = /^(\d{12}\.batch(\.tmp)?|parts|quarantine|dead-letter)$/;
    const odd = readdirSync(join(stateDir.path, "outbox"), { recursive: true, encoding: "utf8" }).filter(
      (path) => !path.split(sep).every((name) => named.test(name)),
    );
    assert.deepEqual(odd, [], "outbox files are named by numbers alone");
  });
});

/** Prints each call with a path, as the process gives it. */
function traceFileCalls(cleanup: Cleanup, pid: number): Program {
  const trace = new Program({
    name: "strace",
    command: findProgram("strace") ?? "strace",
    args: ["-f", "-s", "4096", "-e", "trace=%file", "-p", String(pid)],
  });
  cleanup.add(async () => {
    await trace.stop("SIGINT");
  });
  return trace;
}

/** As no browser sends it: with its dots. */
async function rawGet(port: number, path: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    answer += text;
  });
  socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
  await once(socket, "close");
  return answer;
}
