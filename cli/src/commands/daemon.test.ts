import assert from "node:assert/strict";
import { test } from "node:test";
import { serviceOf } from "./daemon.ts";

const SOCKET = { NOTIFY_SOCKET: "/run/systemd/notify", PATH: "/usr/bin" };

test("systemd's variables say whom to tell, and how often", () => {
  assert.equal(serviceOf({ PATH: "/usr/bin", WATCHDOG_USEC: "30000000" }, 7), null);
  const told = (env: Record<string, string>): number | null | undefined =>
    serviceOf({ ...SOCKET, ...env }, 7)?.watchdogMs;
  assert.equal(told({}), null);
  assert.equal(told({ WATCHDOG_USEC: "30000000" }), 30_000);
  assert.equal(told({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "7" }), 30_000);
  assert.equal(told({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "8" }), null, "meant for another process");
  assert.equal(told({ WATCHDOG_USEC: "soon" }), null);
});
