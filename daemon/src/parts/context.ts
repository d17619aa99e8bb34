import { join } from "node:path";
import type { Logger } from "pino";
import type { DaemonConfig } from "../config.ts";
import { StopStack } from "../stop-stack.ts";
import type { StatementTexts } from "../traces/span-statements.ts";
import { LiveSeconds } from "../uplink/live-seconds.ts";

/** What each part of one daemon is made with. */
export interface DaemonContext {
  config: DaemonConfig;
  version: string;
  log: Logger;
  clock: { unixMs: () => number; monoMs: () => number };
  startUnixMs: number;
  /** A path below the state directory. */
  path: (...parts: string[]) => string;
  apdexTMs: (app: string) => number;
  /** Requests of an app that take that long are slow; infinite when nobody said. */
  slowActionMs: (app: string) => number;
  /** What leaves this host of statements. */
  statementTexts: StatementTexts;
  /** What is sent at once to those who look at this moment. */
  live: LiveSeconds;
  stops: StopStack;
}

const clock = { unixMs: (): number => Date.now(), monoMs: (): number => performance.now() };

export function createContext(options: Pick<DaemonContext, "config" | "version" | "log">): DaemonContext {
  const { config } = options;
  return {
    ...options,
    clock,
    startUnixMs: clock.unixMs(),
    path: (...parts) => join(config.state_dir, ...parts),
    apdexTMs: (app) => config.apps[app]?.apdex_t_ms ?? config.apdex_t_ms,
    slowActionMs: (app) =>
      config.apps[app]?.slow_action_ms ?? config.traces.slow_action_ms ?? Number.POSITIVE_INFINITY,
    statementTexts: config.settings.sql === "local" ? "hidden" : "shown",
    live: new LiveSeconds(clock.monoMs),
    stops: new StopStack(),
  };
}
