import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcFixture } from "./proc-fixture.ts";
import { ProcFile, ProcScanner } from "./proc-scanner.ts";

test("numbers, words and the rest of a line are read in turn", (t) => {
  const proc = new ProcFixture(t, { f: "cpu  12 -1 0.25 x1\n  eth0:77 a b\n" });
  const scanner = new ProcScanner();
  assert.ok(scanner.read(new ProcFile(`${proc.root}/f`)));
  assert.ok(scanner.take(Buffer.from("cpu")));
  assert.equal(scanner.number(), 12);
  assert.equal(scanner.number(), -1);
  assert.equal(scanner.number(), 0.25);
  assert.ok(Number.isNaN(scanner.number()), "x1 is no number");
  assert.ok(Number.isNaN(scanner.number()), "the line has ended");
  assert.ok(scanner.nextLine());
  assert.equal(scanner.word(), "eth0");
  assert.equal(scanner.number(), 77);
  assert.equal(scanner.line(), " a b");
  assert.ok(!scanner.nextLine());
  assert.ok(Number.isNaN(scanner.number()));
  assert.equal(scanner.word(), "");
});

test("a number with letters in it is none", (t) => {
  const proc = new ProcFixture(t, { f: "12ab 7\n" });
  const scanner = new ProcScanner();
  assert.ok(scanner.read(new ProcFile(`${proc.root}/f`)));
  assert.ok(Number.isNaN(scanner.number()));
  assert.equal(scanner.number(), 7);
});

test("an unfinished last line is ignored", (t) => {
  const proc = new ProcFixture(t, {
    whole: "a 1\nb 12345\n",
    cut: "a 1\nb 123",
    empty: "",
    oneCutLine: "a 1",
  });
  const scanner = new ProcScanner();
  assert.ok(scanner.read(new ProcFile(`${proc.root}/whole`)));
  assert.ok(scanner.read(new ProcFile(`${proc.root}/cut`)));
  assert.ok(!scanner.nextLine());
  assert.ok(!scanner.read(new ProcFile(`${proc.root}/empty`)));
  assert.ok(!scanner.read(new ProcFile(`${proc.root}/oneCutLine`)));
});

test("a file larger than the buffer is read whole", (t) => {
  const proc = new ProcFixture(t, { f: `${"intr 0 0 0 0\n".repeat(20_000)}last 42\n` });
  const scanner = new ProcScanner();
  assert.ok(scanner.read(new ProcFile(`${proc.root}/f`)));
  let lines = 1;
  while (scanner.nextLine() && !scanner.take(Buffer.from("last"))) lines++;
  assert.equal(lines, 20_000);
  assert.equal(scanner.number(), 42);
});

test("a file held open shows what the kernel says now", (t) => {
  const proc = new ProcFixture(t, { f: "1\n" });
  const scanner = new ProcScanner();
  const file = new ProcFile(`${proc.root}/f`);
  assert.ok(scanner.read(file));
  proc.write("f", "22\n");
  assert.ok(scanner.read(file));
  assert.equal(scanner.number(), 22);
  file.close();
});

test("an absent file is looked for again after a minute of reads, not at each", (t) => {
  const proc = new ProcFixture(t);
  const scanner = new ProcScanner();
  const file = new ProcFile(`${proc.root}/late`);
  assert.ok(!scanner.read(file));
  proc.write("late", "1\n");
  let reads = 1;
  while (!scanner.read(file)) reads++;
  assert.equal(reads, 61);
});

test("a path that cannot be read as a file is absent, not an error", (t) => {
  const proc = new ProcFixture(t, { "folder/f": "1\n" });
  const scanner = new ProcScanner();
  assert.ok(!scanner.read(new ProcFile(`${proc.root}/folder`)));
  assert.ok(!scanner.readOnce(`${proc.root}/folder`));
  assert.ok(!scanner.readOnce(`${proc.root}/missing`));
});
