import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { beforeEach, describe, test } from "node:test";
import { temporaryFolder } from "../testing/running-collector.ts";
import { SessionStore } from "./session-store.ts";

const HOUR_MS = 3_600_000;

describe("sessions of the console", () => {
  let stateDir = "";
  let nowMs = 0;
  let notKept: Error[] = [];
  const open = (): SessionStore =>
    new SessionStore({ stateDir, clock: () => nowMs, onNotKept: (error) => notKept.push(error) });
  beforeEach(() => {
    stateDir = temporaryFolder();
    nowMs = 1_790_000_000_000;
    notKept = [];
  });

  test("a token is 256 random bits, and only its hash is kept, readable by its owner alone", () => {
    const token = open().open("mark");
    assert.match(token, /^[\w-]{43}$/);
    const file = path.join(stateDir, "sessions.json");
    assert.ok(!fs.readFileSync(file, "utf8").includes(token));
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(fs.readdirSync(stateDir), ["sessions.json"]);
  });

  test("a session outlives a restart, and ends by log-out in the file too", () => {
    const sessions = open();
    const token = sessions.open("mark");
    assert.equal(open().accepts(token, "mark"), true);
    sessions.close(token);
    assert.equal(sessions.accepts(token, "mark"), false);
    assert.equal(open().accepts(token, "mark"), false);
  });

  test("a day without a call ends it, a call in between does not; after a week it ends in any case", () => {
    const sessions = open();
    const [idle, used] = [sessions.open("mark"), sessions.open("mark")];
    nowMs += 24 * HOUR_MS;
    assert.equal(sessions.accepts(used, "mark"), true);
    nowMs += 1;
    assert.equal(sessions.accepts(idle, "mark"), false);
    for (let hours = 24; hours <= 7 * 24 - 12; hours += 12) {
      assert.equal(sessions.accepts(used, "mark"), true, `after ${hours} h`);
      nowMs += 12 * HOUR_MS;
    }
    assert.equal(sessions.accepts(used, "mark"), false);
  });

  test("another password ends all", () => {
    const sessions = open();
    const token = sessions.open("mark");
    assert.equal(sessions.accepts(token, "another mark"), false);
    assert.equal(sessions.accepts(token, "mark"), false, "and they do not come back with the old one");
    assert.equal(open().accepts(token, "another mark"), false);
  });

  test("there are a hundred at most: the one that was not used for longest goes", () => {
    const sessions = open();
    const tokens = Array.from({ length: 100 }, () => sessions.open("mark"));
    assert.equal(sessions.accepts(tokens[0] ?? "", "mark"), true);
    const another = sessions.open("mark");
    const live = [...tokens, another].map((token) => sessions.accepts(token, "mark"));
    assert.deepEqual([live[0], live[1], live[2], live.at(-1)], [true, false, true, true]);
    assert.equal(live.filter((isLive) => isLive).length, 100);
  });

  test("what is no token, and a damaged file, let nobody in", () => {
    const token = open().open("mark");
    for (const wrong of ["", "x", `${token} `, token.toLowerCase(), "__proto__", "\u0000"])
      assert.equal(open().accepts(wrong, "mark"), false, JSON.stringify(wrong));
    fs.writeFileSync(path.join(stateDir, "sessions.json"), '{"version":1,"sessions":"all"}');
    assert.equal(open().accepts(token, "mark"), false);
  });

  test("sessions that cannot be written hold as long as the collector, which says so", () => {
    fs.rmSync(stateDir, { recursive: true });
    fs.writeFileSync(stateDir, "no folder");
    const sessions = open();
    assert.equal(sessions.accepts(sessions.open("mark"), "mark"), true);
    assert.match(notKept[0]?.message ?? "", /cannot be written/);
    fs.rmSync(stateDir);
  });
});
