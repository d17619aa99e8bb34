import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { basename, join, resolve } from "node:path";
import type { Cleanup } from "./cleanup.ts";
import { eventually } from "./eventually.ts";
import { skipWithout } from "./parts.ts";

const SYSTEMD = "/lib/systemd/systemd";
const CGROUPS = "/sys/fs/cgroup";
/** This project on such a host. */
export const TREE = "/opt/apm-tree";
const ROOT = resolve(import.meta.dirname, "../../..");
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Where the kernel's controllers are hierarchies of their own. */
const CONTROLLERS = ["memory", "pids", "cpu", "cpuacct"];

/**
 * Becomes another host: this one's files below an empty layer in memory, with its own processes, network and cgroups, and systemd as its
 * first process. Arguments: a folder, "v1" or "v2", and this project's folder, which is at TREE there.
 */
const BOOT = `
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount --rbind /dev dev
mkdir -p "$1/root${TREE}"
mount --bind "$3" "$1/root${TREE}"
if [ "$2" = v2 ]; then
  mount -t cgroup2 cgroup2 sys/fs/cgroup
else
  mount -t tmpfs -o mode=755 cgroups sys/fs/cgroup
  for one in ${CONTROLLERS.join(" ")}; do
    mkdir "sys/fs/cgroup/$one"
    mount -t cgroup -o "$one" cgroup "sys/fs/cgroup/$one"
  done
  mkdir sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
mkdir .old
pivot_root . .old
umount -l /.old
mount --make-rshared /
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=apm-test ${SYSTEMD} systemd.unit=basic.target
`;

/** What node:test wants as `skip`. */
export function skipWithoutBoot(): string | false {
  if (process.getuid?.() !== 0) return "booting systemd needs root";
  if (!existsSync(SYSTEMD)) return "not installed: systemd";
  return skipWithout("systemd", "iproute2", "procps");
}

export interface Answer {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A host of its own on this machine, that systemd runs. */
export class BootedHost {
  readonly #first: number;

  private constructor(first: number) {
    this.#first = first;
  }

  static async boot(cleanup: Cleanup): Promise<BootedHost> {
    const folder = cleanup.tempDir();
    const name = `apm-test-host-${process.pid}`;
    const isV2 = existsSync(join(CGROUPS, "cgroup.controllers"));
    const groups = (isV2 ? ["."] : [...CONTROLLERS, "systemd"]).map((one) => join(CGROUPS, one, name));
    for (const group of groups) mkdirSync(group, { recursive: true });
    cleanup.add(() => removeGroups(groups));
    const enter = groups.map((group) => `echo $$ > ${group}/cgroup.procs; `).join("");
    const namespaces = "--pid --fork --kill-child --mount --uts --ipc --net --cgroup";
    const child = spawn(
      "sh",
      [
        "-c",
        `${enter}exec unshare ${namespaces} sh -c "$1" boot "$2" "$3" "$4"`,
        "host",
        BOOT,
        folder,
        isV2 ? "v2" : "v1",
        ROOT,
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    cleanup.add(() => ended(child));
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (part: Buffer) => {
        said += String(part);
      });
    const first = await eventually("systemd is the first process of its host", 30_000, () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${said}`);
      const pid = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").split(" ")[0]);
      if (!readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith(SYSTEMD)) throw new Error(said);
      return pid;
    });
    const host = new BootedHost(first);
    await eventually("systemd has booted", 60_000, () => {
      const { stdout, stderr } = host.run("systemctl", "is-system-running");
      if (!/^(running|degraded)/.test(stdout)) throw new Error(`${stdout}${stderr}`);
    });
    host.must("ip", "link", "set", "lo", "up");
    return host;
  }

  /** The command of this host that is that command there. */
  entered(command: string, ...args: string[]): [string, ...string[]] {
    return ["nsenter", "-t", String(this.#first), "-a", command, ...args];
  }

  /** Where a path of that host is on this one. */
  path(inner: string): string {
    return join(`/proc/${this.#first}/root`, inner);
  }

  /** Runs a program of that host to its end. */
  run(command: string, ...args: string[]): Answer {
    const [enter, ...rest] = this.entered(command, ...args);
    const { status, stdout, stderr } = spawnSync(enter, rest, {
      encoding: "utf8",
      timeout: 120_000,
      env: { PATH, LC_ALL: "C" },
    });
    return { code: status, stdout, stderr };
  }

  /** The same, and what it printed; throws when it fails. */
  must(command: string, ...args: string[]): string {
    const { code, stdout, stderr } = this.run(command, ...args);
    if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Starts a program of that host. */
  start(command: string, ...args: string[]): ChildProcess {
    const [enter, ...rest] = this.entered(command, ...args);
    return spawn(enter, rest, {
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH },
    });
  }

  /** A property of a unit. */
  unit(name: string, property: string): string {
    return this.must("systemctl", "show", name, "--value", "-p", property).trim();
  }

  write(path: string, text: string): void {
    writeFileSync(this.path(path), text);
  }

  /** Copies a file of this host to the same name in that one's `/root`. */
  take(file: string): void {
    copyFileSync(file, join(this.path("/root"), basename(file)));
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** Those below first. The processes in them have been killed and are on their way out. */
async function removeGroups(groups: readonly string[]): Promise<void> {
  for (const group of groups)
    await eventually(`the cgroup ${group} is empty`, 20_000, () => removeGroup(group)).catch(() => undefined);
}

function removeGroup(group: string): void {
  for (const entry of readdirSync(group, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroup(join(group, entry.name));
  rmdirSync(group);
}
