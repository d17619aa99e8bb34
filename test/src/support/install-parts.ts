/**
 * Run before the tests: on Debian, as root, installs the programs that tests use and that are missing.
 * Elsewhere it says what is missing. It never fails: tests without their part are skipped and say why.
 */
import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { installNodeReleases } from "./node-releases.ts";
import { missingParts, PARTS } from "./parts.ts";

/** Debian asks this file before a package starts its service; 101 means "no". */
const POLICY_FILE = "/usr/sbin/policy-rc.d";

function aptGet(args: string[]): boolean {
  const result = spawnSync("apt-get", ["-q", "-y", "-o", "DPkg::Lock::Timeout=120", ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    timeout: 300_000,
  });
  if (result.status === 0) return true;
  const lastLines = `${result.stdout}${result.stderr}`.trim().split("\n").slice(-5).join("\n  ");
  console.log(`apt-get ${args.join(" ")} failed:\n  ${lastLines}`);
  return false;
}

function withoutStartingServices(install: () => void): void {
  if (existsSync(POLICY_FILE)) return install();
  writeFileSync(POLICY_FILE, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    install();
  } finally {
    rmSync(POLICY_FILE, { force: true });
  }
}

function missingPackages(): string[] {
  return missingParts(PARTS.map((part) => part.name)).map((part) => part.debianPackage);
}

function installMissing(): void {
  const packages = missingPackages();
  if (packages.length === 0) return;
  const canInstall = existsSync("/etc/debian_version") && process.getuid?.() === 0;
  if (canInstall) {
    console.log(`installing for the tests: ${packages.join(", ")}`);
    withoutStartingServices(() => {
      // A stale or empty package list is no reason to stop: the installation says what it cannot find.
      aptGet(["update"]);
      aptGet(["install", "--no-install-recommends", ...packages]);
    });
  }
  const missing = missingPackages();
  if (missing.length > 0) {
    console.log(
      `not installed: ${missing.join(", ")}; tests that need them are skipped. ` +
        `On Debian: apt-get install --no-install-recommends ${missing.join(" ")}`,
    );
  }
}

installMissing();
installNodeReleases();
