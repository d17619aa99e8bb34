import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { HostPackages } from "@apm-daemon/protocol";

/** Servers that apps talk to, and what they run on. */
const SHOWN =
  /^(mysql-server|mysql-community-server|percona-server-server|mariadb-server|postgresql|redis-server|valkey-server|memcached|nginx|nodejs|mongodb-org-server)(-core)?(-\d[\d.]*)?$/;
const MAX_SHOWN = 32;
const MAX_VERSION_CHARS = 64;
/** A host with every package of Debian stays below. */
const MAX_STATUS_BYTES = 134_217_728;

/** Versions of what runs here: Node.js, the C library, and packages of dpkg where it is; a file of megabytes, so not for the daemon itself. */
export async function readInstalledPackages(
  libc: string,
  dpkgStatusFile = "/var/lib/dpkg/status",
): Promise<HostPackages> {
  const packages: HostPackages = {
    node: process.versions.node,
    libc,
    installed: null,
    servers: [],
  };
  let name = "";
  let isInstalled = false;
  let count = 0;
  try {
    const input = createReadStream(dpkgStatusFile, { encoding: "utf8", end: MAX_STATUS_BYTES });
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      const [, key = "", value = ""] = /^(Package|Status|Version): (.*)$/.exec(line) ?? [];
      if (key === "Package") {
        name = value;
        isInstalled = false;
      } else if (key === "Status" && value.endsWith(" installed")) {
        isInstalled = true;
        count++;
      } else if (key === "Version" && isInstalled && SHOWN.test(name) && packages.servers.length < MAX_SHOWN)
        packages.servers.push({ name, version: value.slice(0, MAX_VERSION_CHARS) });
    }
    packages.installed = count;
  } catch {
    // No dpkg here, or not ours to read.
  }
  return packages;
}
