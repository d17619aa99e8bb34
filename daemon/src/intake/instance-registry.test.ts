import assert from "node:assert/strict";
import { test } from "node:test";
import { Journal } from "../journal/journal.ts";
import { helloOf } from "../testing/agent-peer.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { InstanceRegistry } from "./instance-registry.ts";

test("apps beyond the 200th are counted together as (other), those known before as themselves", (t) => {
  const journal = new Journal({ dir: tempDir(t), segmentBytes: 4_000, capBytes: 1e9, fsync: "seal" });
  t.after(() => journal.close());
  const registry = new InstanceRegistry(journal);
  const appOf = (number: number, instance: string): string =>
    registry.greet(helloOf({ app: `app${number}`, instance })).app;
  for (let number = 1; number <= 200; number++) assert.equal(appOf(number, `i${number}`), `app${number}`);
  assert.deepEqual([appOf(201, "i201"), appOf(202, "i202")], ["(other)", "(other)"]);
  assert.equal(appOf(7, "again"), "app7");
});
