import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { Keyboard, keysOf } from "./keyboard.ts";

test("keys by their characters and names, several at once, also of terminals in application mode", () => {
  assert.deepEqual(keysOf("q"), ["q"]);
  assert.deepEqual(keysOf("\u001b[Ac\u001bOB\t\u001b[Z\u0003"), [
    "up",
    "c",
    "down",
    "tab",
    "shift-tab",
    "ctrl-c",
  ]);
  assert.deepEqual(keysOf("\u001b"), ["escape"]);
  assert.deepEqual(
    keysOf("\u001b[15~\u001b[1;5C"),
    [],
    "keys without a name do nothing, least of all their letters",
  );
  assert.deepEqual(keysOf("ä订"), ["ä", "订"]);
  assert.deepEqual(keysOf(""), []);
});

class Terminal extends EventEmitter {
  readonly isTTY: boolean;
  readonly done: string[] = [];

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  setRawMode(isRaw: boolean): void {
    this.done.push(isRaw ? "raw" : "cooked");
  }

  resume(): void {
    this.done.push("resume");
  }

  pause(): void {
    this.done.push("pause");
  }
}

test("a terminal is raw while keys are wanted, and then as it was; a pipe is left alone", () => {
  for (const [isTTY, done, expected] of [
    [true, ["raw", "resume", "cooked", "pause"], ["q"]],
    [false, [], []],
  ] as const) {
    const terminal = new Terminal(isTTY);
    const keys: string[] = [];
    const keyboard = new Keyboard(terminal, (key) => keys.push(key));
    keyboard.open();
    terminal.emit("data", Buffer.from("q"));
    keyboard.close();
    keyboard.close();
    terminal.emit("data", Buffer.from("x"));
    assert.deepEqual([terminal.done, keys], [[...done], [...expected]]);
  }
});
