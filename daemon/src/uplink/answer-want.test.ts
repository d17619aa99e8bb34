import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import type { UplinkFound, UplinkWant } from "@apm-daemon/protocol";
import { WebSocket, WebSocketServer } from "ws";
import { LoggedLines } from "../testing/logged-lines.ts";
import { until } from "../testing/until.ts";
import { answerWant } from "./answer-want.ts";

const WANT: UplinkWant = { type: "want", id: 3, traceIds: ["a".repeat(32)], deadlineMs: 1_000 };

function found(id: number, hasMore: boolean): UplinkFound {
  return { type: "found", id, parts: [], hasMore, oldestUnixMs: 5, gap: "" };
}

/** Both ends of a connection, and what the collector's end was told. */
async function connection(
  t: TestContext,
): Promise<{ socket: WebSocket; peer: WebSocket; told: UplinkFound[] }> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  t.after(() => server.close());
  await once(server, "listening");
  const told: UplinkFound[] = [];
  const accepted = once(server, "connection") as Promise<[WebSocket]>;
  const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.after(() => socket.terminate());
  await once(socket, "open");
  const [peer] = await accepted;
  peer.on("message", (data) => {
    const text = (data as Buffer).toString("utf8");
    if (text.startsWith("{")) told.push(JSON.parse(text) as UplinkFound);
  });
  return { socket, peer, told };
}

test("sends every message of an answer in order", async (t) => {
  const { socket, told } = await connection(t);
  const find = (want: UplinkWant): Promise<UplinkFound[]> =>
    Promise.resolve([found(want.id, true), found(want.id, false)]);
  await answerWant(socket, WANT, { find, log: new LoggedLines().log });
  await until("both came", () => told.length === 2);
  assert.deepEqual(told, [found(3, true), found(3, false)]);
});

test("what is no question is logged, not answered, and nothing is searched for it", async (t) => {
  const { socket } = await connection(t);
  const logged = new LoggedLines();
  const find = (): Promise<UplinkFound[]> => assert.fail("nothing to search for");
  await answerWant(socket, { ...WANT, traceIds: ["../etc"] }, { find, log: logged.log });
  assert.equal(logged.sentences.length, 1);
});

test("a collector that does not read its answers is told busy: they do not pile up", async (t) => {
  const { socket, peer, told } = await connection(t);
  peer.pause();
  let searches = 0;
  const find = (want: UplinkWant): Promise<UplinkFound[]> => {
    searches++;
    return Promise.resolve([found(want.id, false)]);
  };
  const log = new LoggedLines().log;
  while (socket.bufferedAmount <= 8_388_608) socket.send("x".repeat(1_000_000));
  await answerWant(socket, WANT, { find, log });
  assert.equal(searches, 0);
  peer.resume();
  await until("the answer came", () => told.length === 1);
  assert.deepEqual([told[0]?.gap, told[0]?.id], ["busy", 3]);
});

test("an answer that is ready after the connection ended is nobody's", async (t) => {
  const { socket } = await connection(t);
  const find = async (want: UplinkWant): Promise<UplinkFound[]> => {
    socket.terminate();
    await once(socket, "close");
    return [found(want.id, false)];
  };
  await answerWant(socket, WANT, { find, log: new LoggedLines().log });
  assert.equal(socket.bufferedAmount, 0);
});
