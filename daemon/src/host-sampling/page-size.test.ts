import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { readPageBytes } from "./page-size.ts";
import { ProcFixture } from "./proc-fixture.ts";

test("the auxiliary vector says the page size", (t) => {
  const proc = new ProcFixture(t);
  const entries = new BigUint64Array([16n, 0x1f8bfbffn, 6n, 65_536n, 0n, 0n]);
  writeFileSync(`${proc.root}/auxv`, Buffer.from(entries.buffer));
  assert.equal(readPageBytes(`${proc.root}/auxv`), 65_536);
});

test("a vector that is missing, empty or cut means the usual 4096", (t) => {
  const proc = new ProcFixture(t, { empty: "", cut: "\x06\0\0\0\0\0\0\0\0\x10" });
  for (const file of ["missing", "empty", "cut"]) assert.equal(readPageBytes(`${proc.root}/${file}`), 4096);
});
