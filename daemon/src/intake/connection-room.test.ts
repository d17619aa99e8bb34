import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tempDir } from "../testing/temp-dir.ts";
import { connectionRoom } from "./connection-room.ts";

function proc(t: TestContext, files: string, backlog: string): string {
  const root = tempDir(t);
  mkdirSync(join(root, "self"));
  mkdirSync(join(root, "sys", "net", "core"), { recursive: true });
  writeFileSync(
    join(root, "self", "limits"),
    `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            ${files.padEnd(20)} 524288               files     \n`,
  );
  writeFileSync(join(root, "sys", "net", "core", "somaxconn"), `${backlog}\n`);
  return root;
}

test("a system that allows enough is not mentioned", (t) => {
  assert.deepEqual(connectionRoom(4_096, proc(t, "524288", "4096")), { connections: 4_096, warnings: [] });
  assert.deepEqual(connectionRoom(10_000, proc(t, "unlimited", "65535")), {
    connections: 10_000,
    warnings: [],
  });
  assert.deepEqual(connectionRoom(10_000, "/nowhere"), { connections: 10_000, warnings: [] });
});

test("where few files may be open, fewer connections are taken, so that each gets an answer", (t) => {
  const { connections, warnings } = connectionRoom(4_096, proc(t, "1024", "4096"));
  assert.equal(connections, 320);
  assert.match(
    warnings[0] ?? "",
    /may open 1024 files, so 320 connections are taken instead of 4096: raise LimitNOFILE/,
  );
  assert.equal(connectionRoom(4_096, proc(t, "4992", "4096")).connections, 4_096);
  assert.equal(connectionRoom(4_096, proc(t, "4991", "4096")).connections, 4_095);
});

test("a short queue of the kernel is mentioned", (t) => {
  const [warning = ""] = connectionRoom(100, proc(t, "524288", "128")).warnings;
  assert.match(warning, /net\.core\.somaxconn is 128: .* set it to 4096 with sysctl/);
});
