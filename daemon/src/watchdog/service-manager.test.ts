import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { LoggedLines } from "../testing/logged-lines.ts";
import { until } from "../testing/until.ts";
import { ServiceManager } from "./service-manager.ts";

function managerOf(answers: string[]): { manager: ServiceManager; sent: string[]; lines: LoggedLines } {
  const sent: string[] = [];
  const lines = new LoggedLines();
  const send = (message: string): string => {
    sent.push(message);
    return answers.shift() ?? "";
  };
  const manager = new ServiceManager({
    notifySocket: "/none",
    watchdogMs: null,
    searchPath: "",
    send,
    log: lines.log,
  });
  return { manager, sent, lines };
}

test("a message is its lines; a break in a text begins none of its own", () => {
  const { manager, sent } = managerOf([]);
  manager.tellNow(["READY=1", "STATUS=all\nMAINPID=1"]);
  assert.deepEqual(sent, ["READY=1\nSTATUS=all MAINPID=1"]);
});

test("what systemd's full queue does not take is sent again", async () => {
  const { manager, sent, lines } = managerOf(["full", "full"]);
  manager.tellNow(["READY=1"]);
  await until("it was sent three times", () => sent.length === 3);
  await pause(300);
  assert.deepEqual(sent, ["READY=1", "READY=1", "READY=1"]);
  assert.deepEqual(lines.sentences, []);
});
