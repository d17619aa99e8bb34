import assert from "node:assert/strict";
import { test } from "node:test";
import { readInstalledPackages } from "./installed-packages.ts";
import { ProcFixture } from "./proc-fixture.ts";

function entry(name: string, status: string, version: string): string {
  return `Package: ${name}\nStatus: ${status}\nPriority: optional\nVersion: ${version}\nDescription: a\n Status: not one\n\n`;
}

test("packages that are installed are counted, and servers named with their versions", async (t) => {
  const installed = "install ok installed";
  const files = new ProcFixture(t, {
    status: [
      entry("bash", installed, "5.2"),
      entry("mariadb-server", installed, "1:10.11.6-0+deb12u1"),
      entry("postgresql-15", installed, "15.8-0+deb12u1"),
      entry("nginx", "deinstall ok config-files", "1.22.1"),
      entry("nginx-common", installed, "1.22.1"),
      entry("redis-server", installed, "9".repeat(500)),
    ].join(""),
  });
  const {
    installed: count,
    servers,
    node,
    libc,
  } = await readInstalledPackages("glibc 2.36", `${files.root}/status`);
  assert.equal(count, 5);
  assert.equal(libc, "glibc 2.36");
  assert.equal(node, process.versions.node);
  assert.deepEqual(servers, [
    { name: "mariadb-server", version: "1:10.11.6-0+deb12u1" },
    { name: "postgresql-15", version: "15.8-0+deb12u1" },
    { name: "redis-server", version: "9".repeat(64) },
  ]);
});

test("no more than 32 are named, and without dpkg nothing is known", async (t) => {
  const many = Array.from({ length: 40 }, (_, i) => entry(`postgresql-${i}`, "install ok installed", `${i}`));
  const files = new ProcFixture(t, { status: many.join("") });
  assert.equal((await readInstalledPackages("glibc 2.36", `${files.root}/status`)).servers.length, 32);
  const { installed, servers } = await readInstalledPackages("glibc 2.36", `${files.root}/nowhere`);
  assert.deepEqual({ installed, servers }, { installed: null, servers: [] });
});
