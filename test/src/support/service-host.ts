import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import type { StatusReport } from "@apm-daemon/protocol";
import { BootedHost } from "./booted-host.ts";
import type { Cleanup } from "./cleanup.ts";
import { eventually } from "./eventually.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const SERVICE = "apm-daemon.service";
const FETCH = `fetch(process.argv[1])
  .then(async (answer) => { if (!answer.ok) throw new Error(String(answer.status)); console.log(await answer.text()); })
  .catch((error) => { console.error(String(error)); process.exitCode = 1; });`;

/** A booted host for the packages, and what a test asks of the daemon on it. */
export class ServiceHost {
  readonly host: BootedHost;
  readonly #packages: string;

  private constructor(host: BootedHost, packages: string) {
    this.host = host;
    this.#packages = packages;
  }

  /** Builds the daemon's package in each version, and the collector's where it is asked for. */
  static async boot(
    cleanup: Cleanup,
    { versions, withCollector = false }: { versions: readonly string[]; withCollector?: boolean },
  ): Promise<ServiceHost> {
    const packages = cleanup.tempDir();
    for (const version of versions) {
      const args = ["--quick", "--version", version, "--out", packages];
      execFileSync(process.execPath, [
        join(ROOT, "systemd/deb/build.mjs"),
        ...args,
        ...(withCollector ? [] : ["--daemon-only"]),
      ]);
    }
    const host = await BootedHost.boot(cleanup);
    // This machine, whose files it has, may be one where the product is in use.
    host.run("dpkg", "--purge", "apm-collector", "apm-daemon");
    host.must("rm", "-rf", "/etc/apm-daemon", "/var/lib/apm-daemon", "/var/lib/apm-collector");
    return new ServiceHost(host, packages);
  }

  /** What dpkg said. Here Node.js need not have come as a package. */
  install(name: "apm-daemon" | "apm-collector", version: string): string {
    const arch = execFileSync("dpkg", ["--print-architecture"], { encoding: "utf8" }).trim();
    const file = `${name}_${version}_${arch}.deb`;
    this.host.take(join(this.#packages, file));
    return this.host.must("dpkg", "--force-depends", "--install", `/root/${file}`);
  }

  /** Throws when no daemon answers. */
  status(): StatusReport {
    const { stdout, stderr } = this.host.run("apm", "status", "--json");
    if (stdout === "") throw new Error(stderr);
    return JSON.parse(stdout) as StatusReport;
  }

  /** A property of the daemon's unit. */
  property(name: string): string {
    return this.host.unit(SERVICE, name);
  }

  async isActive(): Promise<void> {
    await eventually("the daemon runs", 60_000, () => {
      const state = this.property("ActiveState");
      if (state !== "active") throw new Error(`it is ${state}: ${this.log()}`);
    });
  }

  /** What the daemon's unit logged in all its lives, at that priority or a graver one. */
  log(priority = "debug"): string {
    return this.host.must("journalctl", "-u", SERVICE, "-p", priority, "-o", "cat", "--no-pager");
  }

  /** Gives the daemon's unit other lines of [Service]; none takes them back. */
  override(...lines: string[]): void {
    const folder = `/etc/systemd/system/${SERVICE}.d`;
    this.host.must("mkdir", "-p", folder);
    if (lines.length === 0) this.host.must("rm", "-f", `${folder}/test.conf`);
    else this.host.write(`${folder}/test.conf`, ["[Service]", ...lines, ""].join("\n"));
    this.host.must("systemctl", "daemon-reload");
  }

  /** The body that an address on that host answers with. */
  fetch(url: string): string {
    return this.host.must(process.execPath, "-e", FETCH, url);
  }
}
