import { accessSync, constants } from "node:fs";
import { delimiter, join, relative, resolve } from "node:path";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { stopRequest } from "../commands/stop-request.ts";
import { paintFor } from "../terminal/paint.ts";
import { Backoff } from "./backoff.ts";
import { unhealthyReason } from "./collector-health.ts";
import { demoMainFile, keptDemo } from "./kept-demo.ts";
import { KeptProcess } from "./kept-process.ts";
import { readableLogLine } from "./log-line.ts";
import { ensureUpKey } from "./up-key.ts";
import { UpOutput } from "./up-output.ts";

export interface UpOptions {
  stateDir?: string;
  listen?: string;
  /** Also runs the example shop. */
  demo?: boolean;
}

const BACKOFF = { firstMs: 500, maxMs: 10_000, resetAfterMs: 30_000 };
/** Together below the 5 s in which Ctrl-C is done: the daemon seals and uploads, then the collector closes its store. */
const DAEMON_STOP_MS = 3_000;
const COLLECTOR_STOP_MS = 1_700;
/** With a demo, which goes first, so that the daemon hears its apps' goodbyes. */
const WITH_DEMO_STOP_MS = { demo: 1_000, daemon: 2_400, collector: 1_400 };
const ANSWER_WITHIN_MS = 10_000;

/** What the parts' runtimes take when they start; what the user sets goes first. */
const STANDARD_ENV = {
  // DuckDB's calls occupy threads of libuv's pool.
  collector: { UV_THREADPOOL_SIZE: "16" },
  // Decoded spans are garbage at once: V8 would let its young generation grow to 48 MB for them. See docs/decisions/0014.
  // glibc would keep memory apart for each thread. See docs/decisions/0026.
  daemon: { NODE_OPTIONS: "--max-semi-space-size=4", MALLOC_ARENA_MAX: "1" },
};

/** Keeps both parts running until a signal; the exit code. Throws START_REFUSED when a part refuses its configuration. */
export async function runUp(context: CliContext, options: UpOptions): Promise<number> {
  const stateDir = resolve(context.cwd, options.stateDir ?? context.places.daemonStateDir);
  const demoFile = options.demo ? demoMainFile() : null;
  const keyFile = await ensureUpKey(stateDir);
  const output = new UpOutput(context.stdout);
  let collectorUrl = "";
  let statusSocket = "";
  const collector = keptPart(context, output, "collector", () => [
    "--state-dir",
    stateDir,
    ...(options.listen ? ["--listen", fixedPort(options.listen, collectorUrl)] : []),
  ]);
  const daemon = keptPart(context, output, "daemon", () => [
    "--collector",
    uplinkUrl(collectorUrl),
    "--license-key-file",
    keyFile,
    ...(options.stateDir ? ["--state-dir", stateDir] : []),
  ]);
  const demo =
    demoFile === null
      ? null
      : keptDemo(context, output, { mainFile: demoFile, statusSocket: () => statusSocket, backoff: BACKOFF });
  const stopped = stopRequest(context, () => {
    demo?.kill();
    daemon.kill();
    collector.kill();
  });
  if (context.env.APM_CONFIG_FILE)
    output.say("APM_CONFIG_FILE is not used by apm up, which runs two programs");
  collector.start();
  void collector.firstReady.then(async (url) => {
    collectorUrl = url;
    daemon.start();
    statusSocket = await daemon.firstReady;
    demo?.start();
    const reason = await unhealthyReason(url, ANSWER_WITHIN_MS);
    output.announce(announcement(context, url, stateDir, options));
    if (reason !== "") output.say(`the collector is not healthy: ${reason}`);
  });
  void demo?.firstReady.then((shopUrl) =>
    output.say(`demo-shop serves at ${shopUrl}; its page is ${collectorUrl}/apps/demo-shop`),
  );
  const refusal = await Promise.race([collector.refused, daemon.refused, stopped.then(() => null)]);
  if (refusal === null) output.say("stopping");
  await demo?.stop(WITH_DEMO_STOP_MS.demo);
  await daemon.stop(demo === null ? DAEMON_STOP_MS : WITH_DEMO_STOP_MS.daemon);
  await collector.stop(demo === null ? COLLECTOR_STOP_MS : WITH_DEMO_STOP_MS.collector);
  if (refusal !== null) throw new CliError("START_REFUSED", `${refusal}${demoHint(context, demoFile)}`);
  return 0;
}

function keptPart(
  context: CliContext,
  output: UpOutput,
  name: "collector" | "daemon",
  args: () => string[],
): KeptProcess {
  const paint = paintFor(context.stdout, context.env);
  // The file that APM_CONFIG_FILE names can be only one of the two programs'.
  const { APM_CONFIG_FILE: _, ...env } = context.env;
  return new KeptProcess({
    mainFile: context.mainFile,
    args: () => [name, ...args()],
    env: () => ({ ...STANDARD_ENV[name], ...env }),
    backoff: new Backoff(BACKOFF),
    onLine: (line) => output.logLine(readableLogLine(name, line, paint)),
    onRestart: (reason, delayMs) =>
      output.say(`the ${name} ${reason}; starting it again in ${delayMs / 1_000} s`),
  });
}

function announcement(context: CliContext, url: string, stateDir: string, options: UpOptions): string {
  const place = options.stateDir ? ` --state-dir ${shortPath(stateDir, context.cwd)}` : "";
  return [
    "",
    `  console     ${url}`,
    `  run an app  ${ownCommand(context)} run${place} --name my-app node app.js`,
    ...(options.demo
      ? ["  demo data   apps demo-shop and demo-payments with invented visitors; Ctrl-C ends them too"]
      : []),
    `  state       ${stateDir} (Ctrl-C stops)`,
    "\n",
  ].join("\n");
}

/** What else to do with the demo where a daemon or collector runs already, which `apm up` cannot join. */
function demoHint(context: CliContext, demoFile: string | null): string {
  if (demoFile === null) return "";
  const file = shortPath(demoFile, context.cwd);
  return `\napm up --demo starts a collector and a daemon of its own. Under a daemon that runs already the demo starts with: node ${file}`;
}

/** How a user types this program: "apm" where it is installed, else with node. */
function ownCommand(context: CliContext): string {
  for (const dir of (context.env.PATH ?? "").split(delimiter)) {
    try {
      accessSync(join(dir, "apm"), constants.X_OK);
      return "apm";
    } catch {
      // not in this folder
    }
  }
  return `node ${shortPath(context.mainFile, context.cwd)}`;
}

/** Relative for what lies below the folder the user is in. */
function shortPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short === "" ? "." : short.startsWith("..") ? path : short;
}

/** A free port that was asked for with 0 is kept when the collector starts again. */
function fixedPort(listen: string, url: string): string {
  return url !== "" && listen.endsWith(":0") ? listen.replace(/0$/, new URL(url).port) : listen;
}

/** Where the daemon on this machine reaches the collector; an address of all interfaces is reached on loopback. */
function uplinkUrl(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname === "0.0.0.0" ? "127.0.0.1" : hostname === "[::]" ? "[::1]" : hostname;
  return `${protocol === "https:" ? "wss" : "ws"}://${host}:${port}`;
}
