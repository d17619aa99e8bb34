import assert from "node:assert/strict";
import { test } from "node:test";
import { isLocalAddress } from "./local-address.ts";

test("loopback, private and link-local addresses are local, their neighbours are not", () => {
  for (const address of [
    "127.0.0.1",
    "::1",
    "::ffff:10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
  ])
    assert.equal(isLocalAddress(address), true, address);
  for (const address of ["169.254.1.1", "fd00::1", "fe80::1"])
    assert.equal(isLocalAddress(address), true, address);
  for (const address of [
    "172.15.0.1",
    "172.32.0.1",
    "11.0.0.1",
    "192.169.0.1",
    "8.8.8.8",
    "2001:db8::1",
    "fec0::1",
    "ff02::1",
    "",
  ])
    assert.equal(isLocalAddress(address), false, address);
});
