// The daemon's seconds beside the kernel's own counters, read by other means over the same seconds, and beside the programs that
// admins trust. Both sides see all load of the machine, so that other work on it changes neither verdict.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { connect, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Cleanup } from "../support/cleanup.ts";
import { findProgram, skipWithout } from "../support/parts.ts";
import { takeTurn } from "../support/take-turn.ts";
import { meanOf, nextSecond, SampledHost, sumOf } from "./sampled-host.ts";

const MIB = 1_048_576;

function near(found: number, truth: number, share: number, what: string): void {
  const difference = Math.abs(found - truth);
  assert.ok(
    difference <= share * truth,
    `${what}: ${found} beside ${truth}, ${((100 * difference) / truth).toFixed(2)} %`,
  );
}

/**
 * Both sides read the kernel's counters a few milliseconds apart: another program's burst just then spoils one measurement. One that
 * is false by its nature is false three times.
 */
async function onceOfThree(measure: () => Promise<void>): Promise<void> {
  for (let left = 2; left > 0; left--) {
    try {
      return await measure();
    } catch (error) {
      if (!(error instanceof assert.AssertionError)) throw error;
    }
  }
  await measure();
}

async function burn(ms: number): Promise<void> {
  const child = spawn(process.execPath, ["-e", `const end = Date.now() + ${ms}; while (Date.now() < end);`]);
  await once(child, "exit");
}

function program(name: string): string {
  return findProgram(name) ?? name;
}

/** What a program prints as JSON. */
async function printed(command: string, args: string[]): Promise<unknown> {
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, LC_ALL: "C" },
  });
  let text = "";
  for await (const chunk of child.stdout) text += chunk;
  return JSON.parse(text);
}

/** Ticks of all modes, and of idle and iowait. */
function cpuTicks(): { all: number; idle: number } {
  const ticks = (/^cpu +(.*)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1] ?? "").split(" ").map(Number);
  return { all: ticks.slice(0, 8).reduce((sum, n) => sum + n, 0), idle: (ticks[3] ?? 0) + (ticks[4] ?? 0) };
}

/** Which of mpstat's columns each of ours is. It takes guests out of user and nice, which this host may have. */
const MPSTAT_COLUMNS = [
  [
    ["cpuIdleRatio", "cpuIowaitRatio"],
    ["idle", "iowait"],
  ],
  [
    ["cpuUserRatio", "cpuNiceRatio"],
    ["usr", "nice", "guest", "gnice"],
  ],
  [["cpuSystemRatio"], ["sys"]],
  [
    ["cpuIrqRatio", "cpuSoftirqRatio"],
    ["irq", "soft"],
  ],
  [["cpuStealRatio"], ["steal"]],
] as const;

/** 64 MiB that are on the disk, in 16 parts. */
async function writeToDisk(cleanup: Cleanup): Promise<void> {
  const file = `/var/tmp/apm-truth-${process.pid}`;
  cleanup.add(() => rmSync(file, { force: true }));
  const fd = openSync(file, "w");
  for (let i = 0; i < 16; i++) {
    writeSync(fd, Buffer.alloc(4 * MIB, i));
    fsyncSync(fd);
    await pause(150);
  }
  closeSync(fd);
}

function isWholeDisk(name: string): boolean {
  return !/^(loop|ram|zram|dm-|md|sr|fd|zd)/.test(name);
}

/** A column of the statistics of all whole disks, by sysfs. */
function diskColumn(column: number): number {
  return readdirSync("/sys/block")
    .filter(isWholeDisk)
    .map(
      (name) => readFileSync(`/sys/block/${name}/stat`, "utf8").trim().split(/\s+/).map(Number)[column] ?? 0,
    )
    .reduce((sum, n) => sum + n, 0);
}

/** A counter of all interfaces but loopback, by sysfs. */
function netCounter(name: string): number {
  return readdirSync("/sys/class/net")
    .filter((link) => link !== "lo" && link !== "bonding_masters")
    .map((link) => Number(readFileSync(`/sys/class/net/${link}/statistics/${name}`, "utf8")))
    .reduce((sum, n) => sum + n, 0);
}

describe("the host's seconds are true", {
  skip: process.platform === "linux" ? false : "needs Linux",
}, () => {
  const cleanup = new Cleanup();
  let host: SampledHost;

  before(async () => {
    await takeTurn(cleanup);
    host = await SampledHost.start(cleanup);
    await pause(2_000);
  });
  after(() => cleanup.run());

  test("CPU within two points of the kernel's ticks", () =>
    onceOfThree(async () => {
      const read: { all: number; idle: number }[] = [];
      const { grown, seconds } = await host.during(
        () => {
          const ticks = cpuTicks();
          read.push(ticks);
          return ticks.all;
        },
        () => burn(2_000),
      );
      const [before, after] = read;
      assert.ok(before && after);
      const truth = 1 - (after.idle - before.idle) / grown;
      const found = 1 - meanOf(seconds, "cpuIdleRatio", "cpuIowaitRatio");
      assert.ok(Math.abs(found - truth) <= 0.02, `${found} beside ${truth}`);
    }));

  test("CPU within two points of mpstat", { skip: skipWithout("sysstat") }, () =>
    onceOfThree(async () => {
      const from = await nextSecond();
      const [answer] = await Promise.all([printed(program("mpstat"), ["-o", "JSON", "4", "1"]), burn(4_500)]);
      const { sysstat } = answer as {
        sysstat: { hosts: { statistics: { "cpu-load": Record<string, number>[] }[] }[] };
      };
      const load = sysstat.hosts[0]?.statistics[0]?.["cpu-load"][0];
      assert.ok(load);
      const seconds = await host.seconds(from, from + 3);
      // Steal too, which only the host below this machine can make: whatever it is now, both must say the same.
      for (const [metrics, columns] of MPSTAT_COLUMNS) {
        const found = meanOf(seconds, ...metrics);
        const truth = columns.reduce((sum, column) => sum + (load[column] ?? Number.NaN), 0) / 100;
        assert.ok(Math.abs(found - truth) <= 0.02, `${metrics.join(" + ")}: ${found} beside ${truth}`);
      }
    }),
  );

  test(
    "bytes written to disks within two percent of iostat's, and how busy they were",
    {
      skip: skipWithout("sysstat"),
    },
    () =>
      onceOfThree(async () => {
        const from = await nextSecond();
        const report = printed(program("iostat"), ["-dkxy", "-o", "JSON", "5", "1"]);
        await pause(1_000);
        await writeToDisk(cleanup);
        const { sysstat } = (await report) as {
          sysstat: {
            hosts: { statistics: { disk: ({ disk_device: string } & Record<string, number>)[] }[] }[];
          };
        };
        const disks = (sysstat.hosts[0]?.statistics[0]?.disk ?? []).filter(({ disk_device: name }) =>
          isWholeDisk(name),
        );
        const seconds = await host.seconds(from, from + 4);
        const written = 5 * 1_024 * disks.reduce((sum, disk) => sum + (disk["wkB/s"] ?? Number.NaN), 0);
        if (written < 60 * MIB) return assert.ok(true, "this folder is on no disk of this machine");
        near(sumOf(seconds, "diskWriteBytesPerSecond"), written, 0.02, "bytes written");
        // Ours is that of the busiest disk of each second.
        const busy = disks.map((disk) => (disk["util"] ?? Number.NaN) / 100);
        const found = meanOf(seconds, "diskBusyRatio");
        const all = busy.reduce((sum, ratio) => sum + ratio, 0);
        assert.ok(
          found >= Math.max(...busy) - 0.02 && found <= all + 0.02,
          `disks busy: ${found}, ${busy.join(" ")}`,
        );
      }),
  );

  test("processes as ps tells them", { skip: skipWithout("procps") }, () =>
    onceOfThree(async () => {
      const hold = "const held = Buffer.alloc(300 << 20, 1); console.log('up'); for (;;) held[0]++;";
      const child = spawn(process.execPath, ["-e", hold], { stdio: ["ignore", "pipe", "ignore"] });
      cleanup.add(() => void child.kill("SIGKILL"));
      await once(child.stdout, "data");
      await pause(3_000);
      await nextSecond();
      const top = await host.top();
      const ps = (...args: string[]): string[] =>
        spawnSync(program("ps"), args, { encoding: "utf8", env: { LC_ALL: "C" } })
          .stdout.trim()
          .split(/\s+/);
      const [rssKib = 0, threads, seconds] = ps("-o", "rss=,nlwp=,times=", "-p", String(child.pid)).map(
        Number,
      );
      const count = ps("-e", "-o", "pid=").length;
      child.kill("SIGKILL");
      const shown = top.processes.find(({ pid }) => pid === child.pid);
      assert.ok(shown, `${child.pid} holds 300 MiB and burns a core: ${JSON.stringify(top.processes)}`);
      near(shown.rssBytes, rssKib * 1_024, 0.01, "resident bytes");
      assert.equal(shown.threads, threads);
      assert.equal(shown.command, "node", "what stands in -e is nobody's");
      assert.ok(
        (seconds ?? 0) >= 1 && shown.cpuRatio > 0,
        `${shown.cpuRatio} of a core, ps says ${seconds} s`,
      );
      near(top.processCount ?? 0, count, 0.03, "processes");
    }),
  );

  test("bytes written to disks within two percent of the kernel's", () =>
    onceOfThree(async () => {
      const { grown, seconds } = await host.during(
        () => diskColumn(6) * 512,
        () => writeToDisk(cleanup),
      );
      if (grown < 60 * MIB) return assert.ok(true, "this folder is on no disk of this machine");
      near(sumOf(seconds, "diskWriteBytesPerSecond"), grown, 0.02, "bytes written");
    }));

  test("memory within one percent of free", { skip: skipWithout("procps") }, () =>
    onceOfThree(async () => {
      const second = await nextSecond();
      const { stdout } = spawnSync(program("free"), ["-b"], { encoding: "utf8", env: { LC_ALL: "C" } });
      const [total = 0, , , , cached = 0, available = 0] = (/^Mem: +(.*)$/m.exec(stdout)?.[1] ?? "")
        .split(/ +/)
        .map(Number);
      const { columns } = await host.seconds(second - 1, second - 1);
      const value = (name: string): number => columns[name]?.[0] ?? Number.NaN;
      assert.equal(value("memTotalBytes"), total);
      assert.ok(Math.abs(value("memAvailableBytes") - available) <= 0.01 * total);
      assert.ok(Math.abs(value("memBuffersBytes") + value("memCachedBytes") - cached) <= 0.01 * total);
    }),
  );

  test("established connections as ss counts them", { skip: skipWithout("iproute2") }, async () => {
    const server = createServer((socket) => socket.resume());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const sockets = Array.from({ length: 100 }, () => connect(port, "127.0.0.1"));
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    const second = await nextSecond();
    const { stdout } = spawnSync(program("ss"), ["-Htn", "state", "established", "state", "close-wait"], {
      encoding: "utf8",
    });
    const { columns } = await host.seconds(second - 1, second - 1);
    for (const socket of sockets) socket.destroy();
    server.close();
    const truth = stdout.split("\n").length - 1;
    assert.ok(truth >= 200);
    near(columns["tcpEstablished"]?.[0] ?? 0, truth, 0.03, "connections");
  });

  test("bytes over a veth pair within one percent of the kernel's", {
    skip: process.getuid?.() === 0 ? skipWithout("iproute2") : "making a network namespace needs root",
  }, async () => {
    const name = `apmt${process.pid % 100_000}`;
    const ip = (...args: string[]): void => {
      const { status, stderr } = spawnSync(program("ip"), args, { encoding: "utf8" });
      assert.equal(status, 0, `ip ${args.join(" ")}: ${stderr}`);
    };
    ip("netns", "add", name);
    cleanup.add(() => ip("netns", "del", name));
    ip("link", "add", `${name}a`, "type", "veth", "peer", "name", `${name}b`, "netns", name);
    ip("addr", "add", "10.211.7.1/30", "dev", `${name}a`);
    ip("link", "set", `${name}a`, "up");
    ip("-n", name, "addr", "add", "10.211.7.2/30", "dev", `${name}b`);
    ip("-n", name, "link", "set", `${name}b`, "up");
    const sink =
      "require('net').createServer((s) => s.resume()).listen(7, '10.211.7.2', () => console.log('up'))";
    const peer = spawn(program("ip"), ["netns", "exec", name, process.execPath, "-e", sink], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    cleanup.add(() => void peer.kill());
    await once(peer.stdout, "data");
    await pause(1_100);
    const { grown, seconds } = await host.during(
      () => netCounter("tx_bytes"),
      async () => {
        const socket = connect(7, "10.211.7.2");
        await once(socket, "connect");
        for (let i = 0; i < 24; i++) {
          await new Promise((sent) => socket.write(Buffer.alloc(MIB), sent));
          await pause(100);
        }
        socket.destroy();
      },
    );
    assert.ok(grown >= 24 * MIB);
    near(sumOf(seconds, "netTransmitBytesPerSecond"), grown, 0.01, "bytes sent");
  });
});
