import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { LoggedLines } from "../testing/logged-lines.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { readStateFile, StateFile } from "./state-file.ts";

test("a thousand ends at one moment are written once at once and once soon, the last state included", async (t) => {
  const path = join(tempDir(t), "black-box.json");
  let ends = 0;
  let writes = 0;
  const file = new StateFile(path, new LoggedLines().log, () => {
    writes++;
    return { version: 1, bootId: String(ends), watched: [], pending: [], recent: [] };
  });
  for (ends = 1; ends <= 1_000; ends++) file.saveInTurn();
  const atOnce = writes;
  await file.saved();
  // A machine that stands still for 200 ms in between may add some.
  assert.ok(atOnce >= 1 && writes < 10, `${atOnce} writes at once, ${writes} in all`);
  assert.equal(readStateFile(path)?.bootId, "1001");
});
