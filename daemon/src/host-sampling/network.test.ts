import assert from "node:assert/strict";
import { test } from "node:test";
import { Network } from "./network.ts";
import { ProcFixture } from "./proc-fixture.ts";
import { ProcScanner } from "./proc-scanner.ts";

const HEADER = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
`;

/** received bytes, packets, errors, drops; sent bytes, packets, errors, drops */
type Numbers = [number, number, number, number, number, number, number, number];

function line(name: string, [rb, rp, re, rd, tb, tp, te, td]: Numbers): string {
  return `  ${name}:${rb} ${rp} ${re} ${rd} 0 0 0 0 ${tb} ${tp} ${te} ${td} 0 0 0 0\n`;
}

const LOOPBACK = line("lo", [9e9, 9, 9, 9, 9e9, 9, 9, 9]);

function startNetwork(proc: ProcFixture, text: string): Network {
  const network = new Network(proc.root, new ProcScanner());
  proc.write("net/dev", HEADER + text);
  network.sample(Number.NaN);
  network.snapshot(Number.NaN);
  return network;
}

test("rates sum all interfaces but loopback, also where the number touches the name", (t) => {
  const proc = new ProcFixture(t);
  const network = startNetwork(
    proc,
    LOOPBACK + line("eth0", [1000, 10, 1, 2, 500, 5, 3, 4]) + line("wlan0", [0, 0, 0, 0, 0, 0, 0, 0]),
  );
  proc.write(
    "net/dev",
    HEADER +
      LOOPBACK +
      line("eth0", [3000, 30, 2, 4, 1500, 15, 4, 6]) +
      line("wlan0", [100, 2, 0, 0, 0, 0, 0, 0]),
  );
  assert.deepEqual(network.sample(2), {
    netReceiveBytesPerSecond: 1050,
    netTransmitBytesPerSecond: 500,
    netReceivePacketsPerSecond: 11,
    netTransmitPacketsPerSecond: 5,
    netErrorsPerSecond: 1,
    netDropsPerSecond: 2,
  });
});

test("an interface that came, or whose counters were reset, is left out of that second", (t) => {
  const proc = new ProcFixture(t);
  const network = startNetwork(proc, line("eth0", [5000, 5, 0, 0, 0, 0, 0, 0]));
  proc.write(
    "net/dev",
    HEADER + line("eth0", [10, 1, 0, 0, 0, 0, 0, 0]) + line("veth1", [7e6, 1, 0, 0, 0, 0, 0, 0]),
  );
  assert.equal(network.sample(1).netReceiveBytesPerSecond, null);
  proc.write(
    "net/dev",
    HEADER + line("eth0", [30, 1, 0, 0, 0, 0, 0, 0]) + line("veth1", [7e6, 1, 0, 0, 0, 0, 0, 0]),
  );
  assert.equal(network.sample(1).netReceiveBytesPerSecond, 20);
});

test("a snapshot lists the busiest interfaces first, at most 64", (t) => {
  const proc = new ProcFixture(t);
  const lines = (factor: number): string =>
    Array.from({ length: 100 }, (_, i) => line(`veth${i}`, [i * factor, 0, 0, 0, 0, 0, 0, 0])).join("");
  const network = startNetwork(proc, lines(0));
  proc.write("net/dev", HEADER + lines(20));
  network.sample(10);
  const snapshot = network.snapshot(10);
  assert.equal(snapshot.length, 64);
  assert.deepEqual(snapshot[0], {
    name: "veth99",
    receiveBytesPerSecond: 198,
    transmitBytesPerSecond: 0,
    errorsPerSecond: 0,
    dropsPerSecond: 0,
  });
});

test("without the file, or with loopback alone, all is null", (t) => {
  const missing = new Network(new ProcFixture(t).root, new ProcScanner());
  missing.sample(Number.NaN);
  assert.ok(Object.values(missing.sample(1)).every((value) => value === null));
  const alone = startNetwork(new ProcFixture(t), LOOPBACK);
  assert.ok(Object.values(alone.sample(1)).every((value) => value === null));
});
