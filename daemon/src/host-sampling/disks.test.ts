import assert from "node:assert/strict";
import { test } from "node:test";
import { Disks } from "./disks.ts";
import { ProcFixture } from "./proc-fixture.ts";
import { ProcScanner } from "./proc-scanner.ts";

/** reads, sectors read, ms reading, writes, sectors written, ms writing, ms busy */
type Numbers = [number, number, number, number, number, number, number];

function line(name: string, [r, rs, rms, w, ws, wms, busy]: Numbers): string {
  return ` 254       0 ${name} ${r} 9 ${rs} ${rms} ${w} 9 ${ws} ${wms} 0 ${busy} 99 1 2 3 4 5 6\n`;
}

function disksAfter(
  proc: ProcFixture,
  before: string,
  now: string,
): { disks: Disks; values: ReturnType<Disks["sample"]> } {
  const disks = new Disks(proc.root, new ProcScanner());
  proc.write("diskstats", before);
  disks.sample(Number.NaN);
  disks.snapshot(Number.NaN);
  proc.write("diskstats", now);
  return { disks, values: disks.sample(1) };
}

const ZERO: Numbers = [0, 0, 0, 0, 0, 0, 0];

test("traffic sums whole disks, the busiest disk gives the busy share, waits are per request", (t) => {
  const { values } = disksAfter(
    new ProcFixture(t),
    line("sda", [100, 1000, 50, 10, 100, 5, 200]) + line("nvme0n1", ZERO),
    line("sda", [110, 1100, 90, 20, 300, 25, 700]) + line("nvme0n1", [20, 50, 20, 0, 0, 0, 100]),
  );
  assert.deepEqual(values, {
    diskReadBytesPerSecond: 150 * 512,
    diskWriteBytesPerSecond: 200 * 512,
    diskReadsPerSecond: 30,
    diskWritesPerSecond: 10,
    diskBusyRatio: 0.5,
    diskAwaitMs: (40 + 20 + 20) / 40,
  });
});

test("partitions, loop devices, layers over disks, memory and hidden NVMe paths are not counted", (t) => {
  const disks = ["sda", "sdaa", "vdb", "nvme0n1", "nvme0n10", "nvme1n1", "mmcblk0", "xvda", "nbd0", "rbd1"];
  const others = ["sda1", "sda15", "sdaa1", "nvme0n1p1", "nvme1n1p12", "mmcblk0p2"];
  const layers = ["loop0", "dm-3", "md127", "zram0", "ram1", "sr0", "fd0", "zd16", "bcache0", "nvme0c0n1"];
  const names = [
    "sda",
    "sda1",
    "sda15",
    "sdaa",
    "sdaa1",
    "vdb",
    "nvme0n1",
    "nvme0n1p1",
    "nvme0n10",
    "nvme1n1",
  ];
  const order = [...names, "nvme1n1p12", "mmcblk0", "mmcblk0p2", "xvda", "nbd0", "rbd1", ...layers];
  assert.equal(order.length, disks.length + others.length + layers.length);
  const text = order.map((name) => line(name, ZERO)).join("");
  const found = disksAfter(new ProcFixture(t), text, text).disks.snapshot(1);
  assert.deepEqual(found.map((disk) => disk.name).sort(), disks.sort());
});

test("without requests there is no wait to average", (t) => {
  const text = line("sda", [5, 5, 5, 5, 5, 5, 5]);
  const { values } = disksAfter(new ProcFixture(t), text, text);
  assert.equal(values.diskAwaitMs, null);
  assert.equal(values.diskReadsPerSecond, 0);
});

test("a disk that came counts from its second sample, one that went is forgotten", (t) => {
  const proc = new ProcFixture(t);
  const { disks, values } = disksAfter(proc, line("sda", ZERO), line("sdb", [900, 900, 0, 0, 0, 0, 0]));
  assert.equal(values.diskReadsPerSecond, null);
  proc.write("diskstats", line("sda", ZERO) + line("sdb", [907, 907, 0, 0, 0, 0, 0]));
  assert.equal(disks.sample(1).diskReadsPerSecond, 7);
});

test("a disk whose counters were reset or wrapped is left out, the others stay", (t) => {
  const high = 2 ** 32 - 5;
  const { disks, values } = disksAfter(
    new ProcFixture(t),
    line("sda", [high, high, 0, 0, 0, 0, 0]) + line("sdb", ZERO),
    line("sda", [5, 5, 0, 0, 0, 0, 0]) + line("sdb", [4, 8, 0, 0, 0, 0, 0]),
  );
  assert.equal(values.diskReadsPerSecond, 4);
  assert.deepEqual(
    disks.snapshot(1).map((disk) => disk.name),
    ["sdb"],
  );
});

test("the busy share never exceeds 1", (t) => {
  const { values } = disksAfter(new ProcFixture(t), line("sda", ZERO), line("sda", [0, 0, 0, 0, 0, 0, 1040]));
  assert.equal(values.diskBusyRatio, 1);
});

test("a snapshot averages since the last one, not since the last sample", (t) => {
  const proc = new ProcFixture(t);
  const { disks } = disksAfter(proc, line("sda", ZERO), line("sda", [10, 100, 30, 0, 0, 0, 500]));
  proc.write("diskstats", line("sda", [20, 200, 60, 0, 0, 0, 1000]));
  disks.sample(1);
  assert.deepEqual(disks.snapshot(2), [
    { name: "sda", readBytesPerSecond: 51_200, writeBytesPerSecond: 0, busyRatio: 0.5, awaitMs: 3 },
  ]);
});

test("no disks, no file and the lines of ancient kernels give nulls", (t) => {
  const partitionOfLinux24 = "   3    1 hda1 1 2 3 4\n";
  for (const text of ["", partitionOfLinux24]) {
    const { values } = disksAfter(new ProcFixture(t), text, text);
    assert.ok(Object.values(values).every((value) => value === null));
  }
});
