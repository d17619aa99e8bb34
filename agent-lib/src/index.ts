/** @apm-daemon/agent: start() records spans of this process and hands them to the host's daemon. */

import { Agent, type AgentStatus, MIN_BUFFER_BYTES } from "./agent.ts";
import { type ActionOptions, runAction } from "./api/action.ts";
import { type Counter, Counters } from "./api/counters.ts";
import { cleanAppName, findAppFolder, findAppName } from "./app-name.ts";
import { findDeployment } from "./deployment.ts";
import { chosenSocket, defaultSockets } from "./link/default-sockets.ts";
import { AGENT_VERSION } from "./version.ts";

export interface StartOptions {
  /** The app's name in the console; default APM_APP_NAME, the nearest package.json, the script's name. */
  appName?: string;
  /** The daemon's agent socket; default APM_SOCKET, else the default places. */
  socket?: string;
  /** How database statements are recorded until the daemon says otherwise; default "obfuscated". */
  sql?: "off" | "obfuscated" | "raw";
  /** Whose traceparent headers continue a trace: everybody's (default), or those of private addresses. */
  trust?: "all" | "local";
  /** Memory for spans that wait for the daemon, all buffers together, in bytes; default 4 MiB, at least 0.5 MiB. */
  ringBytes?: number;
  /**
   * Most of this process's processor time that the agent may take, as a ratio; above it less is recorded, and counted. 0: no
   * limit. Default APM_OVERHEAD_BUDGET, else what the daemon says (0.03).
   */
  overheadBudget?: number;
  /**
   * Secret that setUser() hashes ids with; default APM_USER_SALT, else the host's machine id. With one secret on all hosts a
   * user is the same pseudonym on all of them.
   */
  userSalt?: string;
  /** False: not a word on stderr. Default APM_LOG is not "off". */
  log?: boolean;
}

export type { AgentStatus } from "./agent.ts";
export type { ActionOptions } from "./api/action.ts";
export type { Counter } from "./api/counters.ts";

const DEFAULT_RING_BYTES = 4_194_304;

let running: Agent | null = null;
const counters = new Counters();

/** Starts the agent; does nothing when it runs already or APM_DISABLED is set. Never throws. */
export function start(options: StartOptions = {}): void {
  const { env } = process;
  if (running !== null || isSet(env["APM_DISABLED"])) return;
  const socket = options.socket ?? env["APM_SOCKET"];
  const isSilent = options.log === false || (options.log === undefined && env["APM_LOG"] === "off");
  const write = (line: string): void => void (isSilent || process.stderr.write(line));
  try {
    const agent = new Agent({
      appName:
        cleanAppName(options.appName ?? env["APM_APP_NAME"] ?? "") ||
        findAppName(process.argv[1], process.cwd()),
      appFolder: findAppFolder(process.argv[1], process.cwd()),
      sockets: socket ? chosenSocket(socket) : defaultSockets(env, process.getuid?.() ?? 0),
      sql: options.sql ?? "obfuscated",
      trust: options.trust ?? "all",
      bufferBytes: Math.max(MIN_BUFFER_BYTES, options.ringBytes ?? DEFAULT_RING_BYTES),
      overheadBudgetRatio: options.overheadBudget ?? ratioOf(env["APM_OVERHEAD_BUDGET"]),
      version: AGENT_VERSION,
      deployment: findDeployment(process.argv[1], process.cwd()),
      userSalt: options.userSalt ?? env["APM_USER_SALT"] ?? "",
      counters,
      writeLog: write,
    });
    running = agent;
    agent.start();
  } catch (error) {
    write(`apm-daemon agent: could not start, the app runs on without it: ${String(error)}\n`);
  }
}

/** Sends what is buffered and undoes all that start() changed. */
export function stop(): void {
  running?.stop();
  running = null;
}

/** What the agent of this process is doing; null when none runs. */
export function status(): AgentStatus | null {
  return running?.status ?? null;
}

/** Null for what is no number from 0 to 1. */
function ratioOf(text: string | undefined): number | null {
  const ratio = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
  return ratio >= 0 && ratio <= 1 ? ratio : null;
}

/**
 * Runs work as an action of its own: counted, timed and traced as requests are, among the app's background actions. For
 * timers, scheduled jobs, consumers of queues, whatever begins by itself.
 *
 *     setInterval(() => action("expire carts", expireCarts), 60_000);
 *
 * Within a request or another action it is a part of that, and makes a span in it. What the work returns is returned, what it
 * throws is recorded and thrown. When it returns a promise, the action ends with that.
 */
export function action<T>(name: string, work: () => PromiseLike<T>, options?: ActionOptions): Promise<T>;
export function action<T>(name: string, work: () => T, options?: ActionOptions): T;
export function action<T>(name: string, work: () => T, options: ActionOptions = {}): unknown {
  return running === null ? runAction(null, name, work, options) : running.action(name, work, options);
}

/**
 * Leaves the current request or action out: of all statistics, and of the traces. For health checks and the like. Of its
 * spans none is made from now on, but for the entry, which goes out with its name and the mark `apm.ignored` alone, so that
 * the daemon forgets what it has of the request. Nothing of it counts as lost. What other services do for it, they record.
 */
export function ignore(): void {
  running?.ignore();
}

/**
 * Says whose request or action the current one is. The id is hashed (HMAC-SHA-256, see `userSalt`) before it is kept, and the
 * pseudonym alone leaves the process, as `enduser.pseudo.id` of the entry span.
 */
export function setUser(id: string | number): void {
  running?.setUser(String(id));
}

/** Numbers of the app's own, added up in windows of 10 s; 100 names at most. */
export const metrics: {
  /**
   * The counter of a name; the same each time.
   *
   *     const mails = metrics.counter("mails sent");
   *     mails.add();
   */
  counter(name: string): Counter;
} = { counter: (name) => counters.counter(name) };

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0" && value !== "false";
}
