import { chmodSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Cleanup } from "./cleanup.ts";
import { freePort } from "./free-port.ts";
import { Program } from "./program.ts";
import { APM_PROGRAM, StateDir } from "./system.ts";

export interface LoneDaemon {
  stateDir: StateDir;
  program: Program;
}

export interface LoneDaemonOptions {
  /** As in daemon.toml. */
  toml: string;
  /** Default: a new folder. */
  stateDir?: StateDir;
  /** A command that runs it, like a shell with another ulimit. */
  prefix?: string[];
  /** For Node.js. */
  nodeOptions?: string[];
}

/** `apm daemon`, ready, whose collector does not exist, and to whose socket all users may come if its mode says so. */
export async function startLoneDaemon(cleanup: Cleanup, options: LoneDaemonOptions): Promise<LoneDaemon> {
  const stateDir = options.stateDir ?? new StateDir(cleanup);
  chmodSync(dirname(stateDir.path), 0o755);
  const config = join(stateDir.path, "daemon.toml");
  writeFileSync(config, options.toml);
  const collector = `ws://127.0.0.1:${await freePort()}`;
  const apm = [APM_PROGRAM, "daemon", "--state-dir", stateDir.path, "--collector", collector];
  const [command = "", ...args] = [
    ...(options.prefix ?? []),
    process.execPath,
    ...(options.nodeOptions ?? []),
    ...apm,
  ];
  const env = { APM_CONFIG_FILE: config, NO_COLOR: "1" };
  const program = new Program({ name: "apm daemon", command, args, env });
  cleanup.add(async () => {
    await program.stop();
  });
  await program.waitForOutput(/the daemon is ready/, 30_000);
  return { stateDir, program };
}
