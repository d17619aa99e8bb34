import assert from "node:assert/strict";
import { test } from "node:test";
import { tomlLineOf } from "./toml-lines.ts";

const TEXT = `# head
top = 1
dotted.key = 2

[table] # a comment
key = 3
"quoted.key" = 4
[table.inner]
key = 5
[apps."my.shop"]
t = 6
`;

test("finds keys at the top, in tables, dotted and quoted", () => {
  const lines = [
    ["top"],
    ["dotted", "key"],
    ["table", "key"],
    ["table", "quoted.key"],
    ["table", "inner", "key"],
  ];
  assert.deepEqual(
    lines.map((path) => tomlLineOf(TEXT, path)),
    [2, 3, 6, 7, 9],
  );
  assert.equal(tomlLineOf(TEXT, ["apps", "my.shop", "t"]), 11);
});

test("finds a table by its header", () => {
  assert.equal(tomlLineOf(TEXT, ["table"]), 5);
  assert.equal(tomlLineOf(TEXT, ["table", "inner"]), 8);
});

test("does not guess", () => {
  assert.equal(tomlLineOf(TEXT, ["key"]), null);
  assert.equal(tomlLineOf(TEXT, ["apps", "my", "shop", "t"]), null);
});
