import assert from "node:assert/strict";
import { test } from "node:test";
import { LoginLimits } from "./login-limits.ts";

function limitsAt(): { limits: LoginLimits; later: (ms: number) => void } {
  let monoMs = 0;
  return {
    limits: new LoginLimits(() => monoMs),
    later: (ms) => {
      monoMs += ms;
    },
  };
}

test("an address has five tries, then one each 30 s", () => {
  const { limits, later } = limitsAt();
  for (let n = 0; n < 5; n++) assert.equal(limits.take("203.0.113.7"), 0, `try ${n + 1}`);
  assert.equal(limits.take("203.0.113.7"), 30_000);
  later(29_999);
  assert.equal(limits.take("203.0.113.7"), 1);
  later(1);
  assert.equal(limits.take("203.0.113.7"), 0);
  assert.equal(limits.take("203.0.113.7"), 30_000);
});

test("all addresses together have thirty, then one each 3 s", () => {
  const { limits, later } = limitsAt();
  for (let n = 0; n < 30; n++) assert.equal(limits.take(`203.0.113.${n}`), 0, `address ${n}`);
  assert.equal(limits.take("198.51.100.1"), 3_000);
  later(3_000);
  assert.equal(limits.take("198.51.100.2"), 0);
  assert.equal(limits.take("198.51.100.3"), 3_000);
});

test("who logged in before gets in while strangers try, and has own tries only", () => {
  const { limits } = limitsAt();
  limits.take("192.0.2.1");
  limits.succeeded("192.0.2.1");
  for (let n = 0; n < 40; n++) limits.take(`203.0.113.${n}`);
  for (let n = 0; n < 5; n++) assert.equal(limits.take("192.0.2.1"), 0);
  assert.equal(limits.take("192.0.2.1"), 30_000);
});

test("a /64 of IPv6 is one address, and so is IPv4 in both of its spellings", () => {
  const same = [
    ["2001:db8:1:2::1", "2001:db8:1:2:ffff::2", "2001:0DB8:1:2:3:4:5:6".replaceAll("0DB8", "db8")],
    ["203.0.113.7", "::ffff:203.0.113.7"],
    ["fe80::1%eth0", "fe80::2%eth1"],
  ];
  for (const addresses of same) {
    const { limits } = limitsAt();
    const waits = Array.from({ length: 6 }, (_, n) => limits.take(addresses[n % addresses.length] ?? ""));
    assert.deepEqual(waits, [0, 0, 0, 0, 0, 30_000], addresses.join());
  }
  const { limits } = limitsAt();
  for (let n = 0; n < 5; n++) limits.take("2001:db8:1:2::1");
  assert.equal(limits.take("2001:db8:1:3::1"), 0, "another network has tries of its own");
});
