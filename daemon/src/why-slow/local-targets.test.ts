import assert from "node:assert/strict";
import { hostname, networkInterfaces } from "node:os";
import { test } from "node:test";
import { LocalTargets } from "./local-targets.ts";

test("loopback, the host's own names and addresses, and sockets are here; the rest is elsewhere", () => {
  const targets = new LocalTargets();
  targets.refresh(0);
  const [own = "127.0.0.1"] = Object.values(networkInterfaces()).flatMap((list = []) =>
    list.map(({ address }) => address),
  );
  const here = [
    "127.0.0.1:5432",
    "127.8.9.1",
    "localhost:80",
    "[::1]:80",
    `${hostname()}:1`,
    own,
    "/run/x.sock",
  ];
  assert.deepEqual(
    here.filter((target) => !targets.has(target)),
    [],
  );
  assert.deepEqual(
    ["", "198.18.0.2:80", "db-1", "db-1:5432", "localhost.example:80"].filter((target) =>
      targets.has(target),
    ),
    [],
  );
});
