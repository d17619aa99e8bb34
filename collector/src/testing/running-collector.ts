import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pino } from "pino";
import { type Collector, startCollector } from "../collector.ts";
import { type CollectorConfigInput, CollectorConfigSchema } from "../config.ts";
import { KeyStore } from "../key-store.ts";
import { HandUplink } from "./hand-uplink.ts";
import { SEALED_MS } from "./sample-batch.ts";

export interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
}

const folders: string[] = [];

/** A new folder that is gone when the tests of this process end. */
export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "apm-collector-test-"));
  if (folders.length === 0)
    process.once("exit", () => {
      for (const made of folders) fs.rmSync(made, { recursive: true, force: true });
    });
  folders.push(folder);
  return folder;
}

/** A collector on a free port, with a license key; its clock stands just after the sample batch was sealed. */
export class RunningCollector {
  readonly stateDir: string;
  readonly key: string;
  readonly url: string;
  /** Log lines of level warn and above. */
  readonly complaints: string[];
  readonly #collector: Collector;

  private constructor(collector: Collector, stateDir: string, key: string, complaints: string[]) {
    this.#collector = collector;
    this.url = collector.url;
    this.stateDir = stateDir;
    this.key = key;
    this.complaints = complaints;
  }

  static async start(
    changes: Partial<CollectorConfigInput> & { consoleDir?: string; clock?: () => number } = {},
  ): Promise<RunningCollector> {
    const { consoleDir = "/nowhere", clock = () => SEALED_MS + 1_000, ...config } = changes;
    const stateDir = config.state_dir ?? temporaryFolder();
    const complaints: string[] = [];
    const collector = await startCollector({
      config: CollectorConfigSchema.parse({
        listen: "127.0.0.1:0",
        store: { min_free_disk_mb: 0, min_free_disk_ratio: 0 },
        ...config,
        state_dir: stateDir,
      }),
      consoleDir,
      version: "0.1.0-test",
      log: pino({ level: "warn" }, { write: (line) => complaints.push(line) }),
      clock,
    });
    const keys = new KeyStore(stateDir);
    const { key } = keys.create(`test ${keys.list().length}`);
    return new RunningCollector(collector, stateDir, key, complaints);
  }

  uplink(stream?: string): Promise<HandUplink> {
    return HandUplink.connect(this.url, this.key, stream);
  }

  /** GET below /api/v1. */
  async get<T>(call: string): Promise<Answer<T>> {
    const response = await fetch(`${this.url}/api/v1/${call}`);
    return { status: response.status, headers: response.headers, body: (await response.json()) as T };
  }

  stop(): Promise<void> {
    return this.#collector.stop();
  }

  /** Stops and removes what it kept. */
  async end(): Promise<void> {
    await this.stop();
    fs.rmSync(this.stateDir, { recursive: true, force: true });
  }
}
