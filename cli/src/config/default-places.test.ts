import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultPlaces } from "./default-places.ts";

test("root uses the system's folders, whatever its session says", () => {
  const env = { XDG_RUNTIME_DIR: "/run/user/0", XDG_CONFIG_HOME: "/root/.config" };
  const places = defaultPlaces({ env, uid: 0, homeDir: "/root", tmpDir: "/tmp" });
  assert.equal(places.configDir, "/etc/apm-daemon");
  assert.equal(places.runDir, "/run/apm-daemon");
  assert.equal(places.daemonStateDir, "/var/lib/apm-daemon");
  assert.equal(places.collectorStateDir, "/var/lib/apm-collector");
});

test("users have the XDG folders, else those below their home and the temp folder", () => {
  const env = { XDG_RUNTIME_DIR: "/run/user/7", XDG_CONFIG_HOME: "/c", XDG_STATE_HOME: "/s" };
  const session = defaultPlaces({ env, uid: 7, homeDir: "/home/u", tmpDir: "/tmp" });
  assert.equal(session.configDir, "/c/apm-daemon");
  assert.equal(session.runDir, "/run/user/7/apm-daemon");
  assert.equal(session.daemonStateDir, "/s/apm-daemon");
  const bare = defaultPlaces({ env: {}, uid: 7, homeDir: "/home/u", tmpDir: "/tmp" });
  assert.equal(bare.configDir, "/home/u/.config/apm-daemon");
  assert.equal(bare.runDir, "/tmp/apm-daemon-7");
  assert.equal(bare.daemonStateDir, "/home/u/.local/state/apm-daemon");
});

test("sockets are looked for in the order of the agents", () => {
  const env = { XDG_RUNTIME_DIR: "/run/user/7" };
  const { socketDirs } = defaultPlaces({ env, uid: 7, homeDir: "/home/u", tmpDir: "/tmp" });
  assert.deepEqual(socketDirs, ["/run/user/7/apm-daemon", "/run/apm-daemon", "/tmp/apm-daemon-7"]);
});
