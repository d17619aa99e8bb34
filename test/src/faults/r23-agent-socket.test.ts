import assert from "node:assert/strict";
import { once } from "node:events";
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { encodeHello, type Hello } from "@apm-daemon/protocol";
import { AgentSocket } from "../support/agent-socket.ts";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { skipWithout } from "../support/parts.ts";
import { Program } from "../support/program.ts";
import { APM_PROGRAM, StateDir } from "../support/system.ts";

const skip = process.platform === "linux" ? false : "needs Linux";
const RACES = 3;
const HELLO: Hello = {
  app: "greeter",
  instance: "0123456789abcdef0123456789abcdef",
  pid: process.pid,
  startUnixMs: 0,
  runtime: "node 20",
  agentVersion: "0",
  firstUnacknowledged: 1,
};
/** Wrong usage or configuration. */
const EXIT_WRONG = 2;

describe("R23: the agent socket", { skip }, () => {
  const cleanup = new Cleanup();
  after(() => cleanup.run());

  /** A daemon with a state folder of its own and the sockets in `runDir`. */
  async function daemonIn(runDir: string, wrap: string[] = []): Promise<Program> {
    const state = new StateDir(cleanup);
    const config = join(state.path, "daemon.toml");
    writeFileSync(config, `run_dir = ${JSON.stringify(runDir)}\nagent_socket_mode = "0600"\n`);
    const collector = `ws://127.0.0.1:${await freePort()}`;
    const [command, ...args] = [...wrap, process.execPath, APM_PROGRAM, "daemon", "--collector", collector];
    const program = new Program({
      name: "apm daemon",
      command,
      args,
      env: { APM_CONFIG_FILE: config, APM_DAEMON_STATE_DIR: state.path, NO_COLOR: "1" },
    });
    cleanup.add(async () => void (await program.stop()));
    return program;
  }

  function runDir(): string {
    const path = join(cleanup.tempDir(), "run");
    mkdirSync(path);
    return path;
  }

  /** A socket file that nobody listens on, as kill -9 leaves it. */
  async function leaveStale(path: string): Promise<void> {
    const server = createServer().listen(`${path}-`);
    await once(server, "listening");
    linkSync(`${path}-`, path);
    server.close();
    await once(server, "close");
    assert.ok(lstatSync(path).isSocket());
  }

  async function greets(socket: string): Promise<void> {
    const agent = await AgentSocket.open(socket);
    agent.write(encodeHello(HELLO));
    await eventually(`a welcome at ${socket}`, 20_000, () =>
      assert.equal(agent.messages("welcome").length, 1),
    );
    agent.destroy();
  }

  test("of two daemons that start at one moment over a stale socket one serves, the other says who has the folder", async () => {
    const dir = runDir();
    const socket = join(dir, "agent.sock");
    for (let race = 0; race < RACES; race++) {
      for (const name of ["agent.sock", "status.sock"]) {
        rmSync(join(dir, name), { force: true });
        await leaveStale(join(dir, name));
      }
      const both = await Promise.all([daemonIn(dir), daemonIn(dir)]);
      const ready = both.map((daemon) =>
        daemon.waitForOutput(/the daemon is ready/, 30_000).then(() => daemon),
      );
      const winner = await Promise.any(ready);
      await Promise.allSettled(ready);
      const loser = both.find((daemon) => daemon !== winner) as Program;
      const { code } = await loser.ended;
      assert.equal(code, EXIT_WRONG, loser.describe());
      assert.match(loser.output, /another daemon has its sockets in .*: stop it .* or choose another/);
      assert.ok(winner.isRunning, winner.describe());
      await greets(socket);
      // The loser's end must not have taken the winner's files with it.
      for (const name of ["agent.sock", "status.sock"]) assert.ok(lstatSync(join(dir, name)).isSocket());
      await winner.stop();
      assert.equal(existsSync(socket), false);
    }
  });

  test("an old daemon whose socket file was removed cannot take a new one's with it", async () => {
    const dir = runDir();
    const old = await daemonIn(dir);
    await old.waitForOutput(/the daemon is ready/, 30_000);
    for (const name of ["agent.sock", "status.sock"]) unlinkSync(join(dir, name));
    const early = await daemonIn(dir);
    assert.equal((await early.ended).code, EXIT_WRONG, early.describe());
    assert.match(early.output, /another daemon has its sockets in/);
    await old.stop();
    const next = await daemonIn(dir);
    await next.waitForOutput(/the daemon is ready/, 30_000);
    await greets(join(dir, "agent.sock"));
    await next.stop();
  });

  test("a program of somebody else that listens there is left alone", async () => {
    const dir = runDir();
    const socket = join(dir, "agent.sock");
    const script = `require("net").createServer((s) => s.end("mine")).listen(process.argv[1], () => console.log("listens"))`;
    const other = new Program({ name: "other", command: process.execPath, args: ["-e", script, socket] });
    cleanup.add(() => other.kill());
    await other.waitForOutput(/listens/);
    const { ino } = lstatSync(socket);
    const daemon = await daemonIn(dir);
    assert.equal((await daemon.ended).code, EXIT_WRONG, daemon.describe());
    assert.match(daemon.output, /another program listens on .*agent\.sock/);
    assert.equal(lstatSync(socket).ino, ino);
  });

  test("a file, a link and a dangling link at the socket's place are kept, with a sentence", async () => {
    const target = join(cleanup.tempDir(), "precious");
    writeFileSync(target, "precious");
    const makers: ((path: string) => void)[] = [
      (path) => writeFileSync(path, "precious"),
      (path) => symlinkSync(target, path),
      (path) => symlinkSync(`${target}-nowhere`, path),
    ];
    await Promise.all(
      makers.map(async (make) => {
        const dir = runDir();
        const socket = join(dir, "agent.sock");
        make(socket);
        const { ino } = lstatSync(socket);
        const daemon = await daemonIn(dir);
        assert.equal((await daemon.ended).code, EXIT_WRONG, daemon.describe());
        assert.match(
          daemon.output,
          /agent\.sock exists and is no socket: move it away, or choose another run_dir/,
        );
        assert.equal(lstatSync(socket).ino, ino);
      }),
    );
    assert.equal(readFileSync(target, "utf8"), "precious");
    assert.equal(existsSync(`${target}-nowhere`), false);
  });

  test("107 bytes of path are served, 108 refused before anything is made", async () => {
    const base = cleanup.tempDir();
    const dirOf = (bytes: number): string => {
      const name = "/agent.sock".length;
      return join(base, "x".repeat(bytes - name - base.length - 1));
    };
    const fits = join(dirOf(106), "agent.sock");
    assert.equal(fits.length, 106);
    const served = await daemonIn(dirOf(106));
    // The status socket's name is one byte longer.
    await served.waitForOutput(/the daemon is ready/, 30_000);
    await greets(fits);
    await served.stop();
    const refused = await daemonIn(dirOf(107));
    assert.equal((await refused.ended).code, EXIT_WRONG, refused.describe());
    assert.match(
      refused.output,
      /status\.sock has 108 bytes, the system allows 107: choose a shorter run_dir/,
    );
  });

  test("the socket is made with its mode, and nothing changes it afterwards", {
    skip: skipWithout("strace"),
  }, async () => {
    const dir = runDir();
    const socket = join(dir, "agent.sock");
    const trace = join(dir, "..", "trace");
    const calls = "trace=umask,bind,listen,chmod,fchmod,fchmodat,rename,renameat,renameat2,link,linkat";
    const daemon = await daemonIn(dir, ["strace", "-D", "-f", "-qq", "-o", trace, "-e", calls]);
    await daemon.waitForOutput(/the daemon is ready/, 60_000);
    assert.equal(lstatSync(socket).mode & 0o777, 0o600);
    const lines = readFileSync(trace, "utf8").split("\n");
    const bind = lines.findIndex((line) => line.includes("bind(") && line.includes("agent.sock"));
    const umask = lines.slice(0, bind).findLast((line) => line.includes("umask("));
    assert.match(umask ?? "", /umask\(0177\)/, lines.slice(0, bind + 1).join("\n"));
    const touched = lines.filter(
      (line) => /\b(f?chmod|fchmodat|rename\w*|link\w*)\(/.test(line) && line.includes("agent.sock"),
    );
    assert.deepEqual(touched, []);
    await daemon.stop();
  });
});
