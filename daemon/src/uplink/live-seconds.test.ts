import assert from "node:assert/strict";
import { test } from "node:test";
import { LiveSeconds } from "./live-seconds.ts";

function setting() {
  const clock = { nowMs: 0 };
  const live = new LiveSeconds(() => clock.nowMs);
  const socket = {
    readyState: 1,
    OPEN: 1,
    bufferedAmount: 0,
    sent: [] as unknown[],
    send(text: string): void {
      this.sent.push(JSON.parse(text));
    },
  };
  let asked = 0;
  const values = (): Record<string, number | null> => ({ load1: ++asked });
  return { clock, live, socket, values, asked: () => asked };
}

test("nothing is sent, counted or even asked for while nobody watches", () => {
  const { live, values, asked, socket } = setting();
  live.countRequest("shop", 1000, false);
  live.second(1, values);
  assert.equal(asked(), 0);
  live.watch(socket, { type: "watch", forMs: 30_000 });
  live.second(2, values);
  assert.deepEqual(socket.sent, [{ type: "second", tsSec: 2, values: { load1: 1 }, apps: [] }]);
});

test("each second carries the requests counted since the one before it", () => {
  const { live, values, socket } = setting();
  live.watch(socket, { type: "watch", forMs: 30_000 });
  live.countRequest("stock", 5, false);
  live.countRequest("shop", 1000, false);
  live.countRequest("shop", 3000, true);
  live.second(1, values);
  live.second(2, values);
  assert.deepEqual(socket.sent, [
    {
      type: "second",
      tsSec: 1,
      values: { load1: 1 },
      apps: [
        { app: "shop", requests: 2, errors: 1, sumUs: 4000 },
        { app: "stock", requests: 1, errors: 0, sumUs: 5 },
      ],
    },
    { type: "second", tsSec: 2, values: { load1: 2 }, apps: [] },
  ]);
});

test("a watch ends by itself, goes on when it is said again, and ends at once when that is said", () => {
  const { clock, live, values, socket } = setting();
  live.watch(socket, { type: "watch", forMs: 2000 });
  clock.nowMs = 1999;
  live.second(1, values);
  live.watch(socket, { type: "watch", forMs: 2000 });
  clock.nowMs = 3998;
  live.second(3, values);
  clock.nowMs = 3999;
  live.second(4, values);
  assert.equal(socket.sent.length, 2);
  assert.equal(live.isWatched, false);
  live.watch(socket, { type: "watch", forMs: 2000 });
  live.watch(socket, { type: "watch", forMs: 0 });
  live.second(5, values);
  assert.equal(socket.sent.length, 2);
});

test("seconds that the network does not take are left out, and a closed connection ends the watch", () => {
  const { live, values, socket } = setting();
  live.watch(socket, { type: "watch", forMs: 30_000 });
  socket.bufferedAmount = 1_048_577;
  live.second(1, values);
  socket.bufferedAmount = 1_048_576;
  live.second(2, values);
  assert.equal(socket.sent.length, 1);
  socket.readyState = 3;
  live.second(3, values);
  assert.equal(live.isWatched, false);
});
