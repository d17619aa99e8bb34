#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { isatty } from "node:tty";
import { fileURLToPath } from "node:url";
import { runCli } from "./cli.ts";
import type { CliContext, ParentChannel } from "./cli-context.ts";
import { defaultPlaces } from "./config/default-places.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const context: CliContext = {
  version,
  env: process.env,
  cwd: process.cwd(),
  isRoot: process.getuid?.() === 0,
  places: defaultPlaces({
    env: process.env,
    uid: process.getuid?.() ?? 0,
    homeDir: homedir(),
    tmpDir: tmpdir(),
  }),
  mainFile: fileURLToPath(import.meta.url),
  // Looking for it takes a while, and few commands want it.
  get consoleDir() {
    return fileURLToPath(new URL(".", import.meta.resolve("@apm-daemon/console/dist/index.html")));
  },
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  hasTerminal: isatty(0),
  signals: process,
  parent: process.send ? parentChannel() : null,
  finish: (exitCode) => {
    process.exitCode = exitCode;
  },
  exitAtOnce: (exitCode) => process.exit(exitCode),
  killAtOnce: () => process.kill(process.pid, "SIGKILL"),
};

function parentChannel(): ParentChannel {
  return {
    send: (message) => {
      if (process.connected) process.send?.(message);
    },
    onGone: (listener) => {
      process.on("disconnect", listener);
    },
  };
}

// Whoever reads our output may have seen enough, as in `apm status | head -1`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

await runCli(process.argv.slice(2), context);
// What is left open now (a channel to `apm up`, signal handlers) must not hold the process; a reader that is slow to take
// what was printed must: without waiting, all beyond a pipe's 64 KiB would be cut off.
process.stdout.write("", () => process.exit());
