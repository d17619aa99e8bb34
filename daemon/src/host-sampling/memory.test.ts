import assert from "node:assert/strict";
import { test } from "node:test";
import { Memory } from "./memory.ts";
import { ProcFixture } from "./proc-fixture.ts";
import { ProcScanner } from "./proc-scanner.ts";

const MEMINFO = `MemTotal:       1000 kB
MemFree:         200 kB
MemAvailable:    600 kB
Buffers:          20 kB
Cached:          300 kB
SwapCached:        7 kB
Dirty:             4 kB
SReclaimable:     50 kB
SwapTotal:       500 kB
SwapFree:        400 kB
`;

function vmstat(swapIn: number, swapOut: number, kills: number): string {
  return `nr_free_pages 1257265\npswpin ${swapIn}\npswpout ${swapOut}\npgfault 5\noom_kill ${kills}\n`;
}

test("sizes are bytes; cache is page cache and reclaimable slab", (t) => {
  const proc = new ProcFixture(t, { meminfo: MEMINFO, vmstat: vmstat(1, 2, 3) });
  const values = new Memory(proc.root, new ProcScanner(), 4096).sample(Number.NaN);
  assert.deepEqual(values, {
    memTotalBytes: 1_024_000,
    memAvailableBytes: 614_400,
    memUsedBytes: 409_600,
    memBuffersBytes: 20_480,
    memCachedBytes: 358_400,
    memDirtyBytes: 4_096,
    swapTotalBytes: 512_000,
    swapUsedBytes: 102_400,
    swapInBytesPerSecond: null,
    swapOutBytesPerSecond: null,
    oomKills: null,
  });
});

test("swap traffic is in bytes of the kernel's page size, kills are counted, not averaged", (t) => {
  const proc = new ProcFixture(t, { meminfo: MEMINFO, vmstat: vmstat(100, 200, 3) });
  const memory = new Memory(proc.root, new ProcScanner(), 65_536);
  memory.sample(Number.NaN);
  proc.write("vmstat", vmstat(110, 240, 5));
  const values = memory.sample(2);
  assert.equal(values.swapInBytesPerSecond, 5 * 65_536);
  assert.equal(values.swapOutBytesPerSecond, 20 * 65_536);
  assert.equal(values.oomKills, 2);
});

test("what a kernel does not count is null", (t) => {
  const proc = new ProcFixture(t, { meminfo: "MemTotal: 1000 kB\nCached: 5 kB\n", vmstat: "pswpin 1\n" });
  const memory = new Memory(proc.root, new ProcScanner(), 4096);
  memory.sample(Number.NaN);
  const values = memory.sample(1);
  assert.equal(values.memTotalBytes, 1_024_000);
  assert.equal(values.memUsedBytes, null);
  assert.equal(values.memCachedBytes, null);
  assert.equal(values.swapUsedBytes, null);
  assert.equal(values.swapInBytesPerSecond, 0);
  assert.equal(values.swapOutBytesPerSecond, null);
  assert.equal(values.oomKills, null);
});

test("without both files all is null", (t) => {
  const memory = new Memory(new ProcFixture(t).root, new ProcScanner(), 4096);
  memory.sample(Number.NaN);
  assert.ok(Object.values(memory.sample(1)).every((value) => value === null));
});
