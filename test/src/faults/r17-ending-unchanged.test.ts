import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Cleanup } from "../support/cleanup.ts";
import { Program } from "../support/program.ts";
import { StrangeDaemon, type Strangeness } from "../support/strange-daemon.ts";
import { startLoneDaemon } from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";

const FOLDER: string = fileURLToPath(new URL("../../apps/endings/", import.meta.url));

const ENDINGS: [ending: string, signal?: NodeJS.Signals][] = [
  ["natural"],
  ["exit"],
  ["throw"],
  ["reject"],
  ["handled"],
  ["listeners"],
  ["signal", "SIGTERM"],
  ["signal", "SIGINT"],
  ["signal", "SIGKILL"],
  ["ownSigterm", "SIGTERM"],
];

const DAEMONS: ("works" | "is absent" | "is stopped" | Strangeness)[] = [
  "works",
  "is absent",
  "is stopped",
  "reads 1 byte/s",
  "sends garbage",
  "hangs up",
];

interface End {
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

describe("an app's end", () => {
  const cleanup = new Cleanup();
  const plain = new Map<string, End>();
  before(async () => {
    await takeTurn(cleanup);
    for (const [name, end] of await runAll(null)) plain.set(name, end);
  });
  after(() => cleanup.run());

  async function socketOf(daemon: (typeof DAEMONS)[number]): Promise<string> {
    if (daemon === "is absent") return join(cleanup.tempDir(), "none.sock");
    if (daemon !== "works" && daemon !== "is stopped")
      return (await StrangeDaemon.start(cleanup, daemon)).socketPath;
    const started = await startLoneDaemon(cleanup);
    if (daemon === "is stopped") {
      process.kill(started.daemon.pid, "SIGSTOP");
      cleanup.add(() => void process.kill(started.daemon.pid, "SIGCONT"));
    }
    return started.stateDir.agentSocket;
  }

  for (const daemon of DAEMONS) {
    test(`is the same with a daemon that ${daemon}: code, signal, output and listeners`, async () => {
      for (const [name, end] of await runAll(await socketOf(daemon)))
        assert.deepEqual(end, plain.get(name), name);
    });
  }

  test("the endings are what they are called", () => {
    const codes = ENDINGS.map(([ending, signal]) => {
      const end = plain.get(nameOf(ending, signal));
      return end?.code ?? end?.signal;
    });
    assert.deepEqual(codes, [0, 3, 1, 1, 5, 9, "SIGTERM", "SIGINT", "SIGKILL", 4]);
  });
});

function nameOf(ending: string, signal: string | undefined): string {
  return `${ending} ${signal ?? ""}`;
}

/** Some at a time: an app waits most of its life. */
async function runAll(socket: string | null): Promise<[name: string, end: End][]> {
  const left = [...ENDINGS];
  const ends: [string, End][] = [];
  const runSome = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const [ending, signal] = next;
      ends.push([nameOf(ending, signal), await run(ending, signal, socket)]);
    }
  };
  await Promise.all([runSome(), runSome(), runSome(), runSome()]);
  return ends;
}

/** Runs the app to its end, under the agent when there is a socket. */
async function run(ending: string, signal: NodeJS.Signals | undefined, socket: string | null): Promise<End> {
  const agent = socket === null ? [] : ["--import", "@apm-daemon/agent/register"];
  const program = new Program({
    name: `endings ${ending}`,
    command: process.execPath,
    args: [...agent, `${FOLDER}app.js`, ending],
    cwd: FOLDER,
    env: { APM_SOCKET: socket ?? "", APM_LOG: "off" },
  });
  const timer = setTimeout(() => void program.kill(), 60_000);
  if (signal !== undefined) {
    await program.waitForOutput(/ready/, 50_000);
    process.kill(program.pid, signal);
  }
  const { code, signal: by } = await program.ended;
  clearTimeout(timer);
  return { code, signal: by, stdout: program.stdout, stderr: program.stderr };
}
