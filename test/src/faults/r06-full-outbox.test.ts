import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type BatchHeader, encodeBatch } from "@apm-daemon/protocol";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { findProgram, skipWithout } from "../support/parts.ts";
import { Program } from "../support/program.ts";
import { readStatus } from "../support/status-socket.ts";
import { APM_PROGRAM, StateDir } from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";

const MIB = 1_048_576;
const BATCHES = 4_096;
const BATCH_BYTES = 131_072;
const STREAM = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";

function header(number: number): BatchHeader {
  return {
    version: 1,
    stream: STREAM,
    number,
    createdUnixMs: 1_790_000_000_000,
    host: { name: "full" } as BatchHeader["host"],
    apps: [],
    hostSeconds: null,
    hostSnapshot: null,
    processSeconds: [],
    actions: [],
    operations: [],
    statements: [],
    errors: [],
    ledger: [],
    traces: [{ traceId: "00", app: "full" } as BatchHeader["traces"][number]],
    journal: { sealed: 0, replayFrom: 0 },
  };
}

/** An outbox of 512 MiB, as an outage of hours leaves it: each batch whole and readable. */
function fillOutbox(stateDir: StateDir): void {
  const outbox = join(stateDir.path, "outbox");
  mkdirSync(outbox, { mode: 0o700 });
  const frame = randomBytes(BATCH_BYTES - 2_048);
  for (let number = 1; number <= BATCHES; number++) {
    const bytes = encodeBatch({ header: header(number), frames: [frame] }, "none");
    const padded = Buffer.alloc(BATCH_BYTES - bytes.length, 1);
    const batch = encodeBatch({ header: header(number), frames: [Buffer.concat([frame, padded])] }, "none");
    writeFileSync(join(outbox, `${String(number).padStart(12, "0")}.batch`), batch);
  }
}

function rssBytes(pid: number): number {
  const [, kib = "0"] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) * 1_024;
}

describe("R6: a full outbox", { skip: skipWithout("strace") }, () => {
  const cleanup = new Cleanup();

  before(() => takeTurn(cleanup));
  after(() => cleanup.run());

  /** Starts a daemon over a state folder under strace; answers how long it took, its memory, and the batches it opened. */
  async function start(
    stateDir: StateDir,
    waiting: number,
  ): Promise<{ readyMs: number; rss: number; opened: string[] }> {
    const log = join(cleanup.tempDir(), "strace.log");
    const begun = performance.now();
    const program = new Program({
      name: "daemon",
      command: findProgram("strace") ?? "strace",
      args: [
        "-f",
        "-o",
        log,
        "-e",
        "trace=open,openat",
        "-e",
        "signal=none",
        process.execPath,
        APM_PROGRAM,
        "daemon",
        "--state-dir",
        stateDir.path,
        "--collector",
        "ws://127.0.0.1:9",
      ],
      env: { APM_DAEMON_OUTBOX_CAP_BYTES: String(600 * MIB) },
    });
    cleanup.add(async () => {
      await program.stop();
    });
    await program.waitForOutput(/the daemon is ready/, 60_000);
    const readyMs = performance.now() - begun;
    const { pid, outbox } = await eventually("the daemon answers", 20_000, () =>
      readStatus(statusSocket(stateDir)),
    );
    const rss = rssBytes(pid);
    const opened = [...readFileSync(log, "utf8").matchAll(/outbox\/(\d+\.batch)"/g)].map(
      ([, name = ""]) => name,
    );
    assert.ok(outbox.batches >= waiting, `${outbox.batches} wait`);
    process.kill(pid, "SIGTERM");
    await program.ended;
    return { readyMs, rss, opened };
  }

  test("of 4,096 batches, 512 MiB, a start reads the newest alone, and takes little more time and memory than with none", async () => {
    const empty = await start(new StateDir(cleanup), 0);
    const stateDir = new StateDir(cleanup);
    fillOutbox(stateDir);
    const full = await start(stateDir, BATCHES);
    const newest = `${String(BATCHES).padStart(12, "0")}.batch`;
    const waiting = full.opened.filter((name) => Number(name.slice(0, 12)) <= BATCHES);
    assert.deepEqual([...new Set(waiting)], [newest]);
    const addedMib = Math.round((full.rss - empty.rss) / MIB);
    console.log(
      `ready after ${Math.round(full.readyMs)} ms under strace (empty: ${Math.round(empty.readyMs)} ms), ${addedMib} MiB more memory`,
    );
    assert.ok(addedMib <= 30, `${addedMib} MiB more than with an empty outbox`);
  });
});

function statusSocket(stateDir: StateDir): string {
  return join(stateDir.path, "run", "status.sock");
}
