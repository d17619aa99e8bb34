import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { DiskSpace } from "./disk-space.ts";

test("a disk that is too full is told with what to free or which settings to lower", async () => {
  const folder = tmpdir();
  const space = (minFreeBytes: number): DiskSpace =>
    new DiskSpace({ folder, minFreeBytes, minFreeRatio: 0, clock: () => 0 });
  await space(0).require();
  await assert.rejects(space(Number.MAX_SAFE_INTEGER).require(), {
    code: "DISK_LOW",
    message:
      /MB free and needs \d+ MB; free disk space, or lower store\.min_free_disk_mb or store\.min_free_disk_ratio$/,
  });
});
