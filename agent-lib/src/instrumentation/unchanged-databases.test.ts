import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { DaemonPeer } from "../test-support/daemon-peer.ts";
import { DatabaseServers } from "../test-support/database-servers.ts";
import { appPath, REGISTER, runNode } from "../test-support/run-app.ts";

const servers = await DatabaseServers.start("postgresql", "mariadb", "redis");
after(() => servers.stop());

/** With the lines that the usage of a library prints: fewer would mean that it ended early. */
const LIBRARIES = [
  { library: "pg", database: "postgresql", lines: 22 },
  { library: "mysql2", database: "mariadb", lines: 25 },
  { library: "redis", database: "redis", lines: 21 },
  { library: "ioredis", database: "redis", lines: 28 },
] as const;

describe("what an app sees of its database client is the same with the agent and without", {
  skip: servers.skip,
}, () => {
  for (const { library, database, lines } of LIBRARIES)
    test(`${library}: results, errors, events and their order`, async (t) => {
      const peer = await new DaemonPeer().listen();
      t.after(() => peer.close());
      const usage = [appPath("database-usage.cjs"), library, servers.url(database).href];
      const without = await runNode(usage);
      assert.equal(without.code, 0, without.stderr);
      const { stdout, stderr, code } = await runNode(["--import", REGISTER, ...usage], {
        APM_SOCKET: peer.path,
      });
      assert.deepEqual(stdout.split("\n"), without.stdout.split("\n"));
      assert.deepEqual([code, withoutPid(stderr)], [0, withoutPid(without.stderr)]);
      assert.equal(stdout.split("\n").length - 1, lines, stdout);
      assert.match(stdout, /^\["unhandled"/m);
      assert.ok(peer.spans.filter(({ scope }) => scope === library).length > 15, "the agent was at work");
    });
});

/** Node begins its warnings, here those of what drivers deprecate, with the process's number. */
function withoutPid(stderr: string): string {
  return stderr.replaceAll(/\(node:\d+\)/g, "(node)");
}
