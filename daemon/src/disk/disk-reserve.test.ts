import assert from "node:assert/strict";
import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { tempDir } from "../testing/temp-dir.ts";
import { DiskReserve } from "./disk-reserve.ts";

test("the reserve really takes its room, gives it once, and takes it again; a next run finds it", (t) => {
  const path = join(tempDir(t), "reserve");
  const reserve = new DiskReserve(path);
  assert.equal(reserve.isHeld, true);
  const { size, blocks } = statSync(path);
  assert.ok(size === 262_144 && blocks * 512 >= size, `${blocks} blocks`);
  assert.deepEqual([reserve.release(), reserve.release(), existsSync(path)], [true, false, false]);
  reserve.restore();
  const { mtimeMs } = statSync(path);
  assert.equal(new DiskReserve(path).isHeld, true);
  assert.equal(statSync(path).mtimeMs, mtimeMs);
});

test("a disk without room for it does not throw at the start, and is asked again", (t) => {
  const folder = join(tempDir(t), "journal");
  const reserve = new DiskReserve(join(folder, "reserve"));
  assert.equal(reserve.isHeld, false);
  assert.throws(() => reserve.restore(), { code: "ENOENT" });
  assert.equal(reserve.release(), false);
  mkdirSync(folder);
  reserve.restore();
  assert.equal(reserve.isHeld, true);
  rmSync(folder, { recursive: true });
});
