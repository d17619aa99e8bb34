import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { type Context, createContextKey, ROOT_CONTEXT } from "@opentelemetry/api";
import { StorageContextManager } from "./context-manager.ts";

const KEY = createContextKey("test");
const manager = new StorageContextManager(new AsyncLocalStorage<Context>());
const one = ROOT_CONTEXT.setValue(KEY, 1);
const value = (): unknown => manager.active().getValue(KEY);

test("with() runs in the context, across awaits, with its this and arguments, and no longer", async () => {
  const sum = async function (this: { base: number }, a: number, b: number): Promise<number> {
    await Promise.resolve();
    assert.equal(value(), 1);
    return this.base + a + b;
  };
  assert.equal(await manager.with(one, sum, { base: 10 }, 1, 2), 13);
  assert.equal(value(), undefined);
});

test("what throws in with() throws out of it, and the context ends", () => {
  assert.throws(
    () =>
      manager.with(one, () => {
        throw new RangeError("x");
      }),
    RangeError,
  );
  assert.equal(value(), undefined);
});

test("a bound function runs in its context wherever it is called, and keeps this and length", () => {
  const bound = manager.bind(one, function (this: unknown, _a: number, _b: number): unknown[] {
    return [this, value()];
  });
  const owner = { bound };
  assert.deepEqual(owner.bound(1, 2), [owner, 1]);
  assert.equal(bound.length, 2);
  assert.equal(manager.bind(one, 7), 7);
});

test("listeners of a bound emitter run in the context, and can be taken off", () => {
  const emitter = manager.bind(one, new EventEmitter());
  const seen: unknown[] = [];
  const listener = (): void => void seen.push(value());
  emitter.on("a", listener);
  emitter.once("a", listener);
  emitter.emit("a");
  emitter.off("a", listener);
  emitter.emit("a");
  assert.deepEqual(seen, [1, 1]);
});
