import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StatusReport } from "@apm-daemon/protocol";
import type { Cleanup } from "./cleanup.ts";
import { CollectorApi } from "./collector-api.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { Program, type ProgramEnd } from "./program.ts";
import { readStatus } from "./status-socket.ts";

/** The built `apm` command. */
export const APM_PROGRAM: string = fileURLToPath(new URL("../../../cli/bundle/main.js", import.meta.url));

/** For a machine that does much else; a start takes a second. */
const START_DEADLINE_MS = 90_000;
const COMMAND_DEADLINE_MS = 60_000;

/** Starts `apm ARGS`; it is ended at clean-up if it still runs then. */
function startApm(
  cleanup: Cleanup,
  args: string[],
  env: Record<string, string> = {},
  under: readonly string[] = [],
): Program {
  const [name = "apm"] = args;
  const [command = "", ...rest] = [...under, process.execPath, APM_PROGRAM, ...args];
  const program = new Program({
    name: `apm ${name}`,
    command,
    args: rest,
    env: { NO_COLOR: "1", ...env },
  });
  cleanup.add(async () => {
    await program.stop();
  });
  return program;
}

export interface CommandResult extends ProgramEnd {
  stdout: string;
  stderr: string;
  /** Both. */
  output: string;
}

/** Runs `apm ARGS` to its end, as another user if one is given; throws when it is still there after a minute. */
export async function runApm(
  args: string[],
  env: Record<string, string> = {},
  { input, ...user }: { uid?: number; gid?: number; input?: string } = {},
): Promise<CommandResult> {
  const program = new Program({
    name: `apm ${args.join(" ")}`,
    command: process.execPath,
    args: [APM_PROGRAM, ...args],
    env: { NO_COLOR: "1", ...env },
    ...(input !== undefined && { stdin: "pipe" as const }),
    ...user,
  });
  if (input !== undefined) program.write(input);
  const timer = setTimeout(() => void program.kill(), COMMAND_DEADLINE_MS);
  const end = await program.ended;
  clearTimeout(timer);
  if (end.signal === "SIGKILL") throw new Error(`still there after a minute: ${program.describe()}`);
  return { ...end, stdout: program.stdout, stderr: program.stderr, output: program.output };
}

/** A state directory of a test, and what lies where below it. */
export class StateDir {
  readonly path: string;

  constructor(cleanup: Cleanup) {
    this.path = join(cleanup.tempDir(), "state");
    mkdirSync(this.path);
  }

  get agentSocket(): string {
    return join(this.path, "run", "agent.sock");
  }

  /** What the daemon says of itself, by `apm status --json`. */
  async status(): Promise<StatusReport> {
    const result = await runApm(["status", "--state-dir", this.path, "--json"]);
    if (result.stdout.trim() === "") throw new Error(`apm status printed nothing: ${result.stderr}`);
    return JSON.parse(result.stdout) as StatusReport;
  }
}

export interface Collector {
  stateDir: StateDir;
  port: number;
  url: string;
  /** Where daemons report to. */
  uplinkUrl: string;
  api: CollectorApi;
  program: Program;
}

interface ListenOptions {
  address?: string;
  env?: Record<string, string>;
  /** More arguments. */
  flags?: readonly string[];
}

/** A password that `apm password` takes. */
export const PASSWORD = "correct horse battery staple";

/** Sets the console's password by `apm password`. */
export async function setPassword(stateDir: StateDir, password: string = PASSWORD): Promise<void> {
  const result = await runApm(["password", "--state-dir", stateDir.path], {}, { input: `${password}\n` });
  if (result.code !== 0) throw new Error(`apm password failed: ${result.output}`);
}

/** An API token by `apm token create`. */
export async function createToken(stateDir: StateDir, name: string): Promise<string> {
  const result = await runApm(["token", "create", "--state-dir", stateDir.path, name]);
  if (result.code !== 0) throw new Error(`apm token create failed: ${result.output}`);
  return result.stdout.trim();
}

/** `apm up`, answering at `url`. */
export async function startUp(
  cleanup: Cleanup,
  stateDir: StateDir,
  port?: number,
  flags: readonly string[] = [],
): Promise<Collector> {
  return startListening(cleanup, "up", stateDir, port, { flags });
}

/** `apm collector`, answering. */
export async function startCollector(
  cleanup: Cleanup,
  stateDir: StateDir,
  port?: number,
  options: ListenOptions = {},
): Promise<Collector> {
  return startListening(cleanup, "collector", stateDir, port, options);
}

async function startListening(
  cleanup: Cleanup,
  command: "up" | "collector",
  stateDir: StateDir,
  wantedPort: number | undefined,
  { address = "127.0.0.1", env, flags = [] }: ListenOptions = {},
): Promise<Collector> {
  const fromUnixMs = Date.now();
  // Other machines reach such an address: there is a password, and the tests ask with a token.
  const isPublic = !address.startsWith("127.");
  if (isPublic) await setPassword(stateDir);
  const token = isPublic ? await createToken(stateDir, "tests") : null;
  const port = wantedPort ?? (await freePort());
  const listen = `${address}:${port}`;
  const program = startApm(
    cleanup,
    [command, "--state-dir", stateDir.path, "--listen", listen, ...flags],
    env,
  );
  const url = `http://${listen}`;
  await eventually(`apm ${command} answers at ${url}`, START_DEADLINE_MS, () => answersHealthz(url, program));
  return {
    stateDir,
    port,
    url,
    uplinkUrl: `ws://${listen}`,
    api: new CollectorApi(url, fromUnixMs, token),
    program,
  };
}

async function answersHealthz(url: string, program: Program): Promise<void> {
  const answer = await fetch(`${url}/healthz`).catch((error: unknown) => {
    throw new Error(`no answer (${String(error)}); ${program.describe()}`);
  });
  if (!answer.ok) throw new Error(`GET /healthz answered ${answer.status}: ${await answer.text()}`);
  await answer.text();
}

/** Makes a key by `apm key create` and writes it to a file; answers the file's path. */
export async function createKeyFile(collectorState: StateDir, name: string): Promise<string> {
  const result = await runApm(["key", "create", "--state-dir", collectorState.path, name]);
  if (result.code !== 0) throw new Error(`apm key create failed: ${result.output}`);
  return writeKeyFile(collectorState, name, result.stdout);
}

function writeKeyFile(stateDir: StateDir, name: string, key: string): string {
  const path = join(stateDir.path, `${name}.key-file`);
  writeFileSync(path, key, { mode: 0o600 });
  return path;
}

/** A daemon whose collector is away: batches wait in its outbox. */
export async function startLoneDaemon(cleanup: Cleanup): Promise<{ stateDir: StateDir; daemon: Program }> {
  const stateDir = new StateDir(cleanup);
  const keyFile = writeKeyFile(stateDir, "nobody", "apm_nobody-asks-for-this-key");
  const daemon = await startDaemon(cleanup, { stateDir, collectorUrl: "ws://127.0.0.1:9", keyFile });
  return { stateDir, daemon };
}

/** `apm daemon` with settings as in daemon.toml, taking spans. */
export async function startDaemon(
  cleanup: Cleanup,
  options: {
    stateDir: StateDir;
    collectorUrl: string;
    keyFile: string;
    toml?: string;
    /** A command that runs the daemon, such as one that enters a network namespace; it must become the daemon (exec). */
    under?: readonly string[];
    env?: Record<string, string>;
  },
): Promise<Program> {
  const { stateDir } = options;
  const configFile = join(stateDir.path, "daemon.toml");
  writeFileSync(configFile, options.toml ?? "");
  const where = ["--state-dir", stateDir.path, "--collector", options.collectorUrl];
  const args = ["daemon", ...where, "--license-key-file", options.keyFile];
  const env = { ...options.env, APM_CONFIG_FILE: configFile };
  const program = startApm(cleanup, args, env, options.under);
  await eventually("the daemon answers", START_DEADLINE_MS, async () => {
    if (!program.isRunning) return;
    // Not by the command: started ten times a second it would keep the machine from starting the daemon.
    const report = await readStatus(join(stateDir.path, "run", "status.sock"));
    if (report.pid !== program.pid) throw new Error(`the status is of another process, ${report.pid}`);
  });
  if (!program.isRunning) throw new Error(program.describe());
  return program;
}
