import { join } from "node:path";
import type { Logger } from "pino";
import type { StopStack } from "../stop-stack.ts";
import { Attempts } from "./attempts.ts";
import { DiskProbe } from "./disk-probe.ts";
import type { ServiceManager } from "./service-manager.ts";
import { SocketFile } from "./socket-file.ts";
import { Watchdog } from "./watchdog.ts";

export interface ProgressOptions {
  sealIntervalMs: number;
  monoMs: () => number;
}

/** A seal may wait for a slow disk; three intervals are a standstill, if they are not very short. */
const SEAL_INTERVALS = 3;
const SEAL_PATIENCE_MS = 10_000;
/** The host is sampled each second; a clock that is set may cost some. */
const SAMPLING_PATIENCE_MS = 15_000;
const DISK_PATIENCE_MS = 30_000;

/** What the parts of a daemon note as they get on, and the watchdog that looks at it. */
export class Progress {
  readonly seals: Attempts;
  readonly samples: Attempts;
  readonly #monoMs: () => number;

  constructor({ sealIntervalMs, monoMs }: ProgressOptions) {
    this.#monoMs = monoMs;
    this.seals = new Attempts({
      name: "seal",
      patienceMs: Math.max(SEAL_INTERVALS * sealIntervalMs, SEAL_PATIENCE_MS),
      monoMs,
    });
    this.samples = new Attempts({ name: "sampling", patienceMs: SAMPLING_PATIENCE_MS, monoMs });
  }

  /** Says to the service manager, where there is one, that the daemon is ready and well. */
  watch(
    service: ServiceManager | null,
    parts: { journalDir: string; agentSocket: string; summary: () => string; log: Logger },
    stops: StopStack,
  ): void {
    if (service === null) return;
    const { watchdogMs } = service;
    const journal = new DiskProbe({
      name: "journal",
      path: join(parts.journalDir, "probe.tmp"),
      patienceMs: Math.min(watchdogMs ?? DISK_PATIENCE_MS, DISK_PATIENCE_MS),
      monoMs: this.#monoMs,
    });
    const watchdog = new Watchdog({
      parts: [new SocketFile(parts.agentSocket), journal, this.seals, this.samples],
      service,
      watchdogMs,
      summary: parts.summary,
      log: parts.log,
    });
    watchdog.start();
    stops.push(() => watchdog.stop());
  }
}
