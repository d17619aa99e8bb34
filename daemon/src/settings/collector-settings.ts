import { readFileSync } from "node:fs";
import {
  type AgentSettings,
  type AppSettings,
  DEFAULT_AGENT_SETTINGS,
  NO_SETTINGS,
  parseSettings,
  type SettingsSet,
  stricterSql,
} from "@apm-daemon/protocol";
import type { Logger } from "pino";
import type { DaemonConfig } from "../config.ts";
import { writeFileAtomically } from "../outbox/atomic-file.ts";

export type SettingsConfig = Pick<DaemonConfig, "apdex_t_ms" | "traces" | "settings" | "apps">;

export interface CollectorSettingsOptions {
  config: SettingsConfig;
  /** Where they are remembered. */
  file: string;
  log: Logger;
}

/**
 * What was set in the console, above this host's own configuration. What is said of one app goes before what is said of all; of each the
 * console's word goes first. How statements are recorded is the stricter of both.
 *
 * It is remembered in a file, so that a daemon that starts while its collector is away counts as before; one that cannot be read is as none.
 */
export class CollectorSettings {
  readonly #options: CollectorSettingsOptions;
  readonly #listeners: (() => void)[] = [];
  #set: SettingsSet = NO_SETTINGS;
  #apps: ReadonlyMap<string, AppSettings> = new Map();
  #writing: Promise<void> = Promise.resolve();

  constructor(options: CollectorSettingsOptions) {
    this.#options = options;
    if (this.isTaken) this.#use(this.#read());
  }

  /** Whether this host takes any. */
  get isTaken(): boolean {
    return this.#options.config.settings.from_collector;
  }

  get current(): SettingsSet {
    return this.#set;
  }

  apdexTMs(app: string): number {
    const { config } = this.#options;
    return (
      this.#apps.get(app)?.apdexTMs ??
      own(config.apps, app)?.apdex_t_ms ??
      this.#set.all.apdexTMs ??
      config.apdex_t_ms
    );
  }

  /** Infinite when nobody said. */
  slowActionMs(app: string): number {
    const { config } = this.#options;
    return (
      this.#apps.get(app)?.slowActionMs ??
      own(config.apps, app)?.slow_action_ms ??
      this.#set.all.slowActionMs ??
      config.traces.slow_action_ms ??
      Number.POSITIVE_INFINITY
    );
  }

  /** For agents. */
  get agent(): AgentSettings & { slowStatementMs: number } {
    const { settings } = this.#options.config;
    const { sql = settings.sql, slowStatementMs = settings.slow_statement_ms } = this.#set.all;
    return {
      ...DEFAULT_AGENT_SETTINGS,
      sql: stricterSql(settings.sql, sql),
      overheadBudgetRatio: settings.overhead_budget,
      slowStatementMs,
    };
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Uses what a collector sent, and remembers it; answers its revision, null when it is no settings. Never rejects. */
  async take(message: unknown): Promise<string | null> {
    const { log } = this.#options;
    const set = this.isTaken ? parseSettings(message) : null;
    if (set === null) {
      log.warn("the collector sent settings that this daemon does not take; is settings.from_collector off?");
      return null;
    }
    if (JSON.stringify(set) !== JSON.stringify(this.#set)) {
      this.#use(set);
      log.info({ revision: set.revision, apps: set.apps.length }, "settings came from the collector");
      for (const tell of this.#listeners) tell();
    }
    // Also when it is known: an earlier attempt to write it may have failed.
    await this.#remember(set);
    return set.revision;
  }

  #use(set: SettingsSet): void {
    this.#set = set;
    this.#apps = new Map(set.apps.map(({ app, settings }) => [app, settings]));
  }

  #read(): SettingsSet {
    try {
      return parseSettings(JSON.parse(readFileSync(this.#options.file, "utf8"))) ?? NO_SETTINGS;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT")
        this.#options.log.warn(
          { err: error },
          "the settings of the collector cannot be read; they come again when it is reached",
        );
      return NO_SETTINGS;
    }
  }

  #remember(set: SettingsSet): Promise<void> {
    const { file, log } = this.#options;
    this.#writing = this.#writing.then(async () => {
      try {
        await writeFileAtomically(file, Buffer.from(`${JSON.stringify(set, null, 2)}\n`));
      } catch (error) {
        log.warn(
          { err: error },
          `the collector's settings hold until the daemon ends: ${file} is not written`,
        );
      }
    });
    return this.#writing;
  }
}

/** Names of apps are foreign: "constructor" has no settings. */
function own<T>(values: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}
