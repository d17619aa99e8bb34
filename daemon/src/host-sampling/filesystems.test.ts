import assert from "node:assert/strict";
import type { StatsFs } from "node:fs";
import { statfsSync } from "node:fs";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Filesystems } from "./filesystems.ts";
import { ProcFixture } from "./proc-fixture.ts";
import { ProcScanner } from "./proc-scanner.ts";

const STATS: StatsFs = Object.assign(statfsSync("/"), { bsize: 4096, blocks: 1000, bfree: 400, bavail: 350 });

const MOUNTS = `proc /proc proc rw,relatime 0 0
/dev/vda / ext4 rw,relatime 0 0
/dev/vda /var/lib/docker ext4 rw,relatime 0 0
tmpfs /dev/shm tmpfs rw 0 0
/dev/vdb /mnt/my\\040data\\134x xfs rw 0 0
server:/export /net/home nfs4 rw 0 0
/dev/loop0 /snap/core squashfs ro 0 0
overlay /var/lib/docker/overlay2/1/merged overlay rw 0 0
`;

function askedFilesystems(
  proc: ProcFixture,
  statfs: (path: string) => Promise<StatsFs>,
  timeoutMs = 2000,
): Filesystems {
  return new Filesystems({ procRoot: proc.root, scanner: new ProcScanner(), statfs, timeoutMs });
}

test("local filesystems are asked once per device; network, memory and image ones never", async (t) => {
  const asked: string[] = [];
  const filesystems = askedFilesystems(new ProcFixture(t, { mounts: MOUNTS }), (path) => {
    asked.push(path);
    return Promise.resolve(STATS);
  });
  await filesystems.refresh();
  assert.deepEqual(asked, ["/", "/mnt/my data\\x"]);
  assert.deepEqual(filesystems.newest()[0], {
    mount: "/",
    type: "ext4",
    sizeBytes: 4_096_000,
    usedBytes: 2_457_600,
    availableBytes: 1_433_600,
  });
});

test("a container's overlay root counts as a filesystem", async (t) => {
  const proc = new ProcFixture(t, { mounts: "overlay / overlay rw 0 0\n" });
  const filesystems = askedFilesystems(proc, () => Promise.resolve(STATS));
  await filesystems.refresh();
  assert.equal(filesystems.newest()[0]?.mount, "/");
});

test("one that fails is missing, the others are there", async (t) => {
  const filesystems = askedFilesystems(new ProcFixture(t, { mounts: MOUNTS }), (path) =>
    path === "/" ? Promise.reject(new Error("EIO")) : Promise.resolve(STATS),
  );
  await filesystems.refresh();
  assert.deepEqual(
    filesystems.newest().map(({ mount }) => mount),
    ["/mnt/my data\\x"],
  );
});

test("one that does not answer is passed over until it does", async (t) => {
  const asked: string[] = [];
  const pending: ((stats: StatsFs) => void)[] = [];
  const statfs = (path: string): Promise<StatsFs> => {
    asked.push(path);
    return path === "/" && asked.length === 1
      ? new Promise((resolve) => pending.push(resolve))
      : Promise.resolve(STATS);
  };
  const filesystems = askedFilesystems(new ProcFixture(t, { mounts: MOUNTS }), statfs, 5);
  await filesystems.refresh();
  await filesystems.refresh();
  assert.deepEqual(asked, ["/", "/mnt/my data\\x", "/mnt/my data\\x"]);
  pending[0]?.(STATS);
  await setImmediate();
  await filesystems.refresh();
  assert.equal(filesystems.newest().length, 2);
});

test("two that do not answer are enough: no third I/O thread is risked", async (t) => {
  const mounts = [1, 2, 3, 4].map((i) => `/dev/sd${i} /m${i} ext4 rw 0 0\n`).join("");
  const asked: string[] = [];
  const filesystems = askedFilesystems(
    new ProcFixture(t, { mounts }),
    (path) => {
      asked.push(path);
      return new Promise(() => {});
    },
    5,
  );
  await filesystems.refresh();
  await filesystems.refresh();
  assert.deepEqual(asked, ["/m1", "/m2"]);
});

test("without a list of mounts there are none", async (t) => {
  const filesystems = askedFilesystems(new ProcFixture(t), () => Promise.resolve(STATS));
  await filesystems.refresh();
  assert.deepEqual(filesystems.newest(), []);
});
