import type { StatsFs } from "node:fs";
import { statfs } from "node:fs/promises";
import type { FailingSampler, FilesystemState } from "@apm-daemon/protocol";
import { ProcFile, type ProcScanner } from "./proc-scanner.ts";

/**
 * Filesystems on this host's own disks. Network ones are left out on purpose: asking a dead file server blocks one of
 * the process's few I/O threads for good.
 */
const LOCAL_TYPES = new Set(
  "ext2 ext3 ext4 xfs btrfs zfs f2fs vfat exfat ntfs3 jfs reiserfs bcachefs ubifs".split(" "),
);
/** A container's root is an overlay; it is real to those inside. */
const CONTAINER_ROOT_TYPE = "overlay";
const ROOT = "/";
const MAX_FILESYSTEMS = 64;
/** Node has four I/O threads; more than this many waiting for dead disks would take the daemon with them. */
const MAX_STUCK = 2;

interface Mount {
  device: string;
  mount: string;
  type: string;
}

export interface FilesystemsOptions {
  procRoot: string;
  scanner: ProcScanner;
  /** How long one filesystem may take to answer before it is passed over until it does. Default 2,000. */
  timeoutMs?: number;
  statfs?: (path: string) => Promise<StatsFs>;
}

/** Size and use of local filesystems, refreshed in the background; a disk that does not answer delays nobody. */
export class Filesystems {
  readonly #mounts: ProcFile;
  readonly #scanner: ProcScanner;
  readonly #timeoutMs: number;
  readonly #statfs: (path: string) => Promise<StatsFs>;
  readonly #stuck: Set<string> = new Set();
  #newest: FilesystemState[] = [];
  #isRefreshing = false;

  constructor(options: FilesystemsOptions) {
    this.#mounts = new ProcFile(`${options.procRoot}/mounts`);
    this.#scanner = options.scanner;
    this.#timeoutMs = options.timeoutMs ?? 2000;
    this.#statfs = options.statfs ?? statfs;
  }

  /** One for each that does not answer. */
  get failing(): FailingSampler[] {
    return [...this.#stuck].map((mount) => ({
      sampler: "filesystems",
      problem: `the filesystem at ${mount} does not answer, its size is missing: look at its disk`,
    }));
  }

  /** What the last refresh found; those that did not answer are missing. */
  newest(): FilesystemState[] {
    return this.#newest;
  }

  /** Asks each filesystem, one after the other. Never rejects; a call during another one does nothing. */
  async refresh(): Promise<void> {
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    const found: FilesystemState[] = [];
    for (const mount of this.#readMounts()) {
      const state = await this.#ask(mount);
      if (state !== null) found.push(state);
    }
    this.#newest = found;
    this.#isRefreshing = false;
  }

  close(): void {
    this.#mounts.close();
  }

  /** One mount of each device: bind mounts show the same numbers again. */
  #readMounts(): Mount[] {
    const byDevice = new Map<string, Mount>();
    const scanner = this.#scanner;
    if (!scanner.read(this.#mounts)) return [];
    do {
      const [device = "", mount = "", type = ""] = scanner.line().split(" ");
      const isReal = LOCAL_TYPES.has(type) || (type === CONTAINER_ROOT_TYPE && mount === ROOT);
      if (isReal && !byDevice.has(device))
        byDevice.set(device, { device, mount: unescapeMount(mount), type });
    } while (scanner.nextLine() && byDevice.size < MAX_FILESYSTEMS);
    return [...byDevice.values()];
  }

  async #ask({ mount, type }: Mount): Promise<FilesystemState | null> {
    if (this.#stuck.has(mount) || this.#stuck.size >= MAX_STUCK) return null;
    const stats = await this.#statWithin(mount);
    if (stats === null || stats.blocks === 0) return null;
    return {
      mount,
      type,
      sizeBytes: stats.blocks * stats.bsize,
      usedBytes: (stats.blocks - stats.bfree) * stats.bsize,
      availableBytes: stats.bavail * stats.bsize,
    };
  }

  /** Null when it failed or took too long; then it counts as stuck until the call comes back. */
  #statWithin(mount: string): Promise<StatsFs | null> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#stuck.add(mount);
        resolve(null);
      }, this.#timeoutMs);
      const settle = (stats: StatsFs | null): void => {
        clearTimeout(timer);
        this.#stuck.delete(mount);
        resolve(stats);
      };
      this.#statfs(mount).then(settle, () => settle(null));
    });
  }
}

/** The kernel writes space, tab, newline and backslash as three octal digits. */
function unescapeMount(mount: string): string {
  return mount.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCodePoint(Number.parseInt(octal, 8)),
  );
}
