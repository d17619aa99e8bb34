import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { decodeBatch, type ProcessSeconds, type SecondsTable, type TopReport } from "@apm-daemon/protocol";
import { outboxOf } from "../support/batches.ts";
import type { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { startLoneDaemon } from "../support/lone-daemon.ts";
import { statusSocketAnswer } from "../support/status-socket.ts";
import type { StateDir } from "../support/system.ts";

/** What a daemon says of seconds that a test knows otherwise. */
export class SampledHost {
  readonly stateDir: StateDir;

  private constructor(stateDir: StateDir) {
    this.stateDir = stateDir;
  }

  static async start(cleanup: Cleanup): Promise<SampledHost> {
    const { stateDir } = await startLoneDaemon(cleanup, { toml: "seal_interval_ms = 1000\n" });
    return new SampledHost(stateDir);
  }

  /**
   * Runs `load` from the beginning of a second on and reads the kernel's own counters, by `read`, before it and, two quiet seconds
   * after it, again at the beginning of a second: the daemon reads the same counters at the same moments. Answers what they grew
   * by, and the daemon's seconds between.
   */
  async during(
    read: () => number,
    load: () => Promise<unknown>,
  ): Promise<{ grown: number; seconds: SecondsTable }> {
    const from = await nextSecond();
    const before = read();
    await load();
    await pause(1_000);
    const to = await nextSecond();
    const grown = read() - before;
    return { grown, seconds: await this.seconds(from, to - 1) };
  }

  /** What `apm top` shows. */
  async top(): Promise<TopReport> {
    return JSON.parse(await statusSocketAnswer(this.stateDir, "/top")) as TopReport;
  }

  /** The host's seconds from one to another, both included, once they are sealed. */
  seconds(from: number, to: number): Promise<SecondsTable> {
    return this.#sealed(from, to, (header) => (header.hostSeconds === null ? [] : [header.hostSeconds]));
  }

  /** Those of the only process of an app. */
  processSeconds(app: string, from: number, to: number): Promise<SecondsTable> {
    return this.#sealed(from, to, (header) => header.processSeconds.filter((table) => table.app === app));
  }

  #sealed(
    from: number,
    to: number,
    tablesOf: (header: {
      hostSeconds: SecondsTable | null;
      processSeconds: ProcessSeconds[];
    }) => SecondsTable[],
  ): Promise<SecondsTable> {
    return eventually(`the seconds up to ${to} are sealed`, 20_000, () => {
      const outbox = outboxOf(this.stateDir);
      const files = readdirSync(outbox).filter((name) => name.endsWith(".batch"));
      const tables = files.flatMap((name) => tablesOf(decodeBatch(readFileSync(join(outbox, name))).header));
      const rows = tables
        .flatMap(({ tsSec, columns }) => tsSec.map((second, i) => ({ second, i, columns })))
        .sort((a, b) => a.second - b.second);
      if ((rows.at(-1)?.second ?? 0) < to) throw new Error("not yet");
      const asked = rows.filter(({ second }) => second >= from && second <= to);
      const names = Object.keys(asked[0]?.columns ?? {});
      return {
        tsSec: asked.map(({ second }) => second),
        columns: Object.fromEntries(
          names.map((name) => [name, asked.map(({ i, columns }) => columns[name]?.[i] ?? null)]),
        ),
      };
    });
  }
}

/** Waits for the beginning of the next second, and says its name. */
export async function nextSecond(): Promise<number> {
  const second = Math.floor(Date.now() / 1_000) + 1;
  await pause(second * 1_000 - Date.now() + 1);
  return second;
}

/** Per-second rates added up. */
export function sumOf(seconds: SecondsTable, ...names: string[]): number {
  return names
    .flatMap((name) => seconds.columns[name] ?? [])
    .reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

export function meanOf(seconds: SecondsTable, ...names: string[]): number {
  return sumOf(seconds, ...names) / seconds.tsSec.length;
}
