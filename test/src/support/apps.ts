import { fileURLToPath } from "node:url";
import type { Cleanup } from "./cleanup.ts";
import type { Databases } from "./databases.ts";
import { freePort } from "./free-port.ts";
import { type PlannedRequest, sendAll } from "./load-generator.ts";
import { Program } from "./program.ts";
import { APM_PROGRAM } from "./system.ts";

/**
 * How an app is put under the agent: by the command, by loading a module, or not at all.
 * `socket` is where its agent looks for the daemon.
 */
export type Agent =
  | { by: "apm run" | "--import" | "--require"; socket: string; name?: string }
  | { by: "none" };

type AppName = "shop" | "stock" | "hello" | "relay" | "doomed" | "canary" | "steady" | "patient";

export interface RunningApp {
  url: string;
  program: Program;
}

const READY = /listening on (http:\S+)/;

function appFile(name: AppName): string {
  return fileURLToPath(new URL(`../../apps/${name}/app.js`, import.meta.url));
}

/** The agent is resolved as a user's app would: by its package name, from the app's folder. */
const REGISTER = "@apm-daemon/agent/register";

interface Start {
  args: string[];
  env: Record<string, string>;
}

function start(agent: Agent, nodeArgs: string[]): Start {
  if (agent.by === "none") return { args: nodeArgs, env: {} };
  const env = { APM_SOCKET: agent.socket, APM_OVERHEAD_BUDGET: "0" };
  if (agent.by === "apm run") {
    const name = agent.name === undefined ? [] : ["--name", agent.name];
    return { args: [APM_PROGRAM, "run", ...name, process.execPath, ...nodeArgs], env };
  }
  return {
    args: [agent.by, REGISTER, ...nodeArgs],
    env: agent.name === undefined ? env : { ...env, APM_APP_NAME: agent.name },
  };
}

async function startApp(
  cleanup: Cleanup,
  name: AppName,
  agent: Agent,
  env: Record<string, string>,
  nodeFlags: string[],
  port?: string,
  cgroupProcs?: string,
): Promise<RunningApp> {
  const file = appFile(name);
  const { args, env: agentEnv } = start(agent, [...nodeFlags, file]);
  const program = new Program({
    name,
    ...commandIn(cgroupProcs, [process.execPath, ...args]),
    cwd: fileURLToPath(new URL(`../../apps/${name}/`, import.meta.url)),
    // A fixed port: the app keeps its address when a test starts it a second time.
    env: { ...env, ...agentEnv, PORT: port ?? String(await freePort()) },
  });
  cleanup.add(async () => {
    await program.stop();
  });
  const [, url = ""] = await program.waitForOutput(READY, 30_000);
  return { url, program };
}

/** The command as it is, or begun within a cgroup, so that all its memory counts there. */
function commandIn(cgroupProcs: string | undefined, words: string[]): { command: string; args: string[] } {
  const [command = "", ...args] = words;
  if (cgroupProcs === undefined) return { command, args };
  return { command: "/bin/sh", args: ["-c", 'echo $$ > "$0" && exec "$@"', cgroupProcs, ...words] };
}

/** The Express app (ES modules). `stockUrl` is where its `/relay/:id` asks. */
export function startShop(
  cleanup: Cleanup,
  options: { agent: Agent; databases: Databases; stockUrl?: string; nodeFlags?: string[] },
): Promise<RunningApp> {
  const { databases } = options;
  const env = {
    POSTGRES_URL: databases.postgresUrl,
    MYSQL_URL: databases.mysqlUrl,
    REDIS_URL: databases.redisUrl,
    STOCK_URL: options.stockUrl ?? "",
  };
  return startApp(cleanup, "shop", options.agent, env, options.nodeFlags ?? []);
}

/** The Fastify app (CommonJS). */
export function startStock(
  cleanup: Cleanup,
  options: { agent: Agent; databases: Databases },
): Promise<RunningApp> {
  const env = { MYSQL_URL: options.databases.mysqlUrl, REDIS_URL: options.databases.redisUrl };
  return startApp(cleanup, "stock", options.agent, env, []);
}

/** An app whose statements hold secrets. */
export function startCanary(
  cleanup: Cleanup,
  agent: Agent,
  databases: Omit<Databases, "redisUrl">,
): Promise<RunningApp> {
  const env = { POSTGRES_URL: databases.postgresUrl, MYSQL_URL: databases.mysqlUrl };
  return startApp(cleanup, "canary", agent, env, []);
}

/** An app of plain node:http: each request is answered at once, with 200. */
export function startHello(cleanup: Cleanup, agent: Agent): Promise<RunningApp> {
  return startApp(cleanup, "hello", agent, {}, []);
}

/** An app of plain node:http that counts for itself: `/count/N` adds N to "pages turned". */
export function startSteady(cleanup: Cleanup, agent: Agent): Promise<RunningApp> {
  return startApp(cleanup, "steady", agent, {}, []);
}

/** One hop of several, with a database span of its own; the last one has no `nextUrl`. `/hold/MS` answers late there. */
export function startRelay(
  cleanup: Cleanup,
  agent: Agent,
  { nextUrl = "", port }: { nextUrl?: string; port?: string } = {},
): Promise<RunningApp> {
  return startApp(cleanup, "relay", agent, { NEXT_URL: nextUrl }, [], port);
}

/** An app that ends in the way that its URL asks for; in a cgroup, if the file of its processes is given. */
export function startDoomed(cleanup: Cleanup, agent: Agent, cgroupProcs?: string): Promise<RunningApp> {
  return startApp(cleanup, "doomed", agent, {}, [], undefined, cgroupProcs);
}

/** An app that is slow in the way that its URL asks for; in a cgroup, if the file of its processes is given. */
export function startPatient(
  cleanup: Cleanup,
  agent: Agent,
  { postgresUrl = "", cgroupProcs }: { postgresUrl?: string; cgroupProcs?: string | undefined } = {},
): Promise<RunningApp> {
  // So that its garbage is soon too much.
  const flags = ["--max-old-space-size=192"];
  return startApp(cleanup, "patient", agent, { POSTGRES_URL: postgresUrl }, flags, undefined, cgroupProcs);
}

/** Sends GET / so many times and throws when one of the answers is not 200. */
export async function sendHellos(app: RunningApp, count: number): Promise<void> {
  const planned: PlannedRequest = { url: app.url, method: "GET", expectedStatus: 200, action: "" };
  const answers = await sendAll(
    Array.from({ length: count }, () => planned),
    8,
  );
  const failed = answers.find(({ status }) => status !== 200);
  if (failed !== undefined) throw new Error(`GET ${app.url}: status ${failed.status} ${failed.failure}`);
}
