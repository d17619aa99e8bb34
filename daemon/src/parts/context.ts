import { join } from "node:path";
import type { Logger } from "pino";
import type { DaemonConfig } from "../config.ts";
import type { PassedSockets } from "../intake/passed-socket.ts";
import { CollectorSettings } from "../settings/collector-settings.ts";
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
  /** What is sent at once to those who look at this moment. */
  live: LiveSeconds;
  /** What leaves this host of statements now. */
  statementTexts: () => StatementTexts;
  /** Those that systemd listens on; none where nobody does. */
  sockets: PassedSockets;
  /** What was set in the console. */
  settings: CollectorSettings;
  stops: StopStack;
}

const clock = { unixMs: (): number => Date.now(), monoMs: (): number => performance.now() };

export function createContext(
  options: Pick<DaemonContext, "config" | "version" | "log" | "sockets">,
): DaemonContext {
  const { config, log } = options;
  const path = (...parts: string[]): string => join(config.state_dir, ...parts);
  const settings = new CollectorSettings({ config, file: path("collector-settings.json"), log });
  return {
    ...options,
    clock,
    startUnixMs: clock.unixMs(),
    live: new LiveSeconds(clock.monoMs),
    path,
    apdexTMs: (app) => settings.apdexTMs(app),
    slowActionMs: (app) => settings.slowActionMs(app),
    statementTexts: () => (settings.agent.sql === "local" ? "hidden" : "shown"),
    settings,
    stops: new StopStack(),
  };
}
