import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopbackHost } from "./loopback.ts";

test("only what no other machine can reach is loopback", async () => {
  for (const own of ["127.0.0.1:0", "127.255.1.2:80", "[::1]:8460", "[::ffff:127.0.0.1]:1", "localhost:8460"])
    assert.equal(await isLoopbackHost(own), true, own);
  for (const open of [
    "0.0.0.0:8460",
    "[::]:8460",
    "0:8460",
    "192.168.1.2:8460",
    "128.0.0.1:80",
    "[::ffff:10.0.0.1]:1",
    "[fe80::1]:80",
    "127.0.0.1.invalid:80",
    "no-such-host.invalid:80",
  ])
    assert.equal(await isLoopbackHost(open), false, open);
});
