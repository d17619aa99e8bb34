import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findDeployment } from "./deployment.ts";

const folder = mkdtempSync(join(tmpdir(), "apm-deployment-"));
after(() => rmSync(folder, { recursive: true }));
const ID = "0123456789abcdef".repeat(4);

function found(cgroup: string, mountinfo: string = ""): object {
  const proc = join(folder, "proc");
  mkdirSync(join(proc, "self"), { recursive: true });
  writeFileSync(join(proc, "self/cgroup"), cgroup);
  writeFileSync(join(proc, "self/mountinfo"), mountinfo);
  return findDeployment(undefined, folder, proc);
}

const CASES: [what: string, cgroup: string, expected: object][] = [
  ["a service, cgroup v2", "0::/system.slice/shop.service\n", { systemdUnit: "shop.service" }],
  [
    "a service, cgroup v1",
    "12:memory:/system.slice/shop@blue.service\n1:name=systemd:/system.slice/shop@blue.service\n",
    { systemdUnit: "shop@blue.service" },
  ],
  ["a part of a service", "0::/system.slice/shop.service/workers\n", { systemdUnit: "shop.service" }],
  [
    "a user's service",
    "0::/user.slice/user-1000.slice/user@1000.service/app.slice/shop.service\n",
    { systemdUnit: "shop.service" },
  ],
  [
    "a terminal within a user's session",
    "0::/user.slice/user-1000.slice/user@1000.service/app.slice/vte-spawn-1.scope\n",
    {},
  ],
  ["a terminal", "0::/user.slice/user-1000.slice/session-2.scope\n", {}],
  ["docker, cgroup v1", `5:cpu:/docker/${ID}\n`, { containerId: ID }],
  ["docker under systemd", `0::/system.slice/docker-${ID}.scope\n`, { containerId: ID }],
  ["podman", `0::/machine.slice/libpod-${ID}.scope/container\n`, { containerId: ID }],
  [
    "Kubernetes",
    `1:name=systemd:/kubepods.slice/kubepods-pod1.slice/cri-containerd-${ID}.scope\n`,
    { containerId: ID },
  ],
  [
    "Kubernetes, of which the runtime is a service",
    `1:name=systemd:/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:${ID}\n`,
    { containerId: ID },
  ],
  ["something that is too long for an id", `0::/docker/${ID}0\n`, {}],
  ["nothing to be seen", "0::/\n", {}],
  ["another system", "", {}],
];

for (const [what, cgroup, expected] of CASES)
  test(`from the cgroup: ${what}`, () => assert.deepEqual(found(cgroup), expected));

test("from the mounts: a container with a cgroup namespace of its own", () => {
  const line = (root: string, point: string): string =>
    `560 541 259:1 ${root} ${point} rw - ext4 /dev/vda rw\n`;
  const docker = line(`/var/lib/docker/containers/${ID}/hostname`, "/etc/hostname");
  assert.deepEqual(found("0::/\n", docker), { containerId: ID });
  const podman = line(`/containers/overlay-containers/${ID}/userdata/hostname`, "/etc/hostname");
  assert.deepEqual(found("0::/\n", podman), { containerId: ID });
  // The host itself sees what its containers mount, and a pod sees its sandbox.
  const host = line(`/var/lib/docker/containers/${ID}/hostname`, `/run/copies/${ID}`);
  assert.deepEqual(found("0::/\n", host), {});
  const sandbox = line(`/var/lib/containerd/sandboxes/${ID}/hostname`, "/etc/hostname");
  assert.deepEqual(found("0::/\n", sandbox), {});
});

test("the version is that of the nearest package.json that has one", () => {
  const app = join(folder, "shop/dist");
  mkdirSync(app, { recursive: true });
  writeFileSync(join(folder, "shop/package.json"), '{ "name": "shop", "version": "1.2.3" }');
  writeFileSync(join(app, "package.json"), '{ "type": "module", "version": 5 }');
  const none = join(folder, "no-proc");
  assert.deepEqual(findDeployment(join(app, "main.js"), "/", none), { appVersion: "1.2.3" });
  assert.deepEqual(findDeployment(undefined, "/", none), {});
});
