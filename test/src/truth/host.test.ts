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

/** A column of the statistics of all whole disks, by sysfs. */
function diskColumn(column: number): number {
  return readdirSync("/sys/block")
    .filter((name) => !/^(loop|ram|zram|dm-|md|sr|fd|zd)/.test(name))
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
      let start = cpuTicks();
      const first = start;
      const { seconds } = await host.during(
        () => {
          start = cpuTicks();
          return start.all;
        },
        () => burn(2_000),
      );
      const all = start.all - first.all;
      const truth = 1 - (start.idle - first.idle) / all;
      const found = 1 - meanOf(seconds, "cpuIdleRatio", "cpuIowaitRatio");
      assert.ok(Math.abs(found - truth) <= 0.02, `${found} beside ${truth}`);
    }));

  test("CPU within two points of mpstat", { skip: skipWithout("sysstat") }, () =>
    onceOfThree(async () => {
      const from = await nextSecond();
      const [answer] = await Promise.all([printed(program("mpstat"), ["-o", "JSON", "4", "1"]), burn(4_500)]);
      const { sysstat } = answer as {
        sysstat: { hosts: { statistics: { "cpu-load": { idle: number; iowait: number }[] }[] }[] };
      };
      const load = sysstat.hosts[0]?.statistics[0]?.["cpu-load"][0];
      assert.ok(load);
      const seconds = await host.seconds(from, from + 3);
      const [found, truth] = [
        meanOf(seconds, "cpuIdleRatio", "cpuIowaitRatio"),
        (load.idle + load.iowait) / 100,
      ];
      assert.ok(Math.abs(found - truth) <= 0.02, `${found} beside ${truth}`);
    }),
  );

  test("bytes written to disks within two percent of the kernel's", () =>
    onceOfThree(async () => {
      const file = `/var/tmp/apm-truth-${process.pid}`;
      cleanup.add(() => rmSync(file, { force: true }));
      const { grown, seconds } = await host.during(
        () => diskColumn(6) * 512,
        async () => {
          const fd = openSync(file, "w");
          for (let i = 0; i < 16; i++) {
            writeSync(fd, Buffer.alloc(4 * MIB, i));
            fsyncSync(fd);
            await pause(150);
          }
          closeSync(fd);
        },
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
