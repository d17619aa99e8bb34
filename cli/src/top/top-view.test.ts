import assert from "node:assert/strict";
import { test } from "node:test";
import { FIRST_VIEW, type TopView, viewAfter } from "./top-view.ts";

function after(...keys: string[]): TopView {
  return keys.reduce<TopView>(
    (view, key) => viewAfter(view, key) ?? assert.fail(`${key} ends it`),
    FIRST_VIEW,
  );
}

test("q and Ctrl-C end, whatever is shown", () => {
  for (const key of ["q", "ctrl-c"])
    for (const view of [FIRST_VIEW, after("tab"), after("h")]) assert.equal(viewAfter(view, key), null);
});

test("tab and the arrows go to the other table and back, to its beginning", () => {
  assert.deepEqual([after("tab").table, after("right", "left").table], ["processes", "apps"]);
  assert.deepEqual([after("down", "down", "up").scrolled, after("down", "tab").scrolled], [1, 0]);
  assert.equal(after("up").scrolled, 0);
});

test("a letter sorts the table that has the keys; one that only the other knows goes there", () => {
  assert.deepEqual(after("m").sort, { apps: "m", processes: "c" });
  assert.deepEqual(after("tab", "m").sort, { apps: "r", processes: "m" });
  assert.deepEqual([after("t").table, after("t").sort], ["processes", { apps: "r", processes: "t" }]);
  assert.deepEqual([after("tab", "p").table, after("tab", "p").sort.apps], ["apps", "p"]);
  assert.deepEqual(after("z", "toString", "constructor"), FIRST_VIEW);
});

test("the help stays until another key, which does nothing else", () => {
  assert.equal(after("h").isHelp, true);
  assert.deepEqual(after("?", "m"), FIRST_VIEW);
});
