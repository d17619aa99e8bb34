import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import type { ProgramName } from "../config/load-config.ts";
import { type ServiceFile, serviceFiles, UNITS, WRITTEN_HERE } from "./service-files.ts";

type Context = Pick<CliContext, "isRoot" | "mainFile" | "stdout">;

const KEY_FILE = "/etc/apm-daemon/license.key";
/** There while systemd is the first process. */
const SYSTEMD_RUNS = "/run/systemd/system";
const PACKAGED_UNITS = ["/lib/systemd/system", "/usr/lib/systemd/system"];
/** The units say ProtectHome= and PrivateTmp=. */
const HIDDEN = ["/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"];

const NEXT: Readonly<Record<ProgramName, readonly string[]>> = {
  daemon: [
    "this host is watched; see it with: apm status, apm top",
    `to report to a collector: apm config init daemon, set collector there, put the line that "apm key create NAME" prints into ${KEY_FILE}, systemctl restart apm-daemon`,
  ],
  collector: ["the console is at http://127.0.0.1:8460; for each group of hosts: apm key create NAME"],
};

/** Writes the units with this program in them, and starts them; a later call brings them up to date. Throws SERVICE_REFUSED. */
export function installService(context: Context, program: ProgramName): void {
  refuseWhereImpossible(context, program);
  for (const file of serviceFiles(program, context, process.execPath)) write(context, file);
  if (program === "daemon") {
    systemd("systemd-sysusers", "apm-daemon.conf");
    systemd("systemd-tmpfiles", "--create", "apm-daemon.conf");
  }
  const units = UNITS[program];
  systemd("systemctl", "daemon-reload");
  systemd("systemctl", "enable", "--quiet", ...units);
  systemd("systemctl", "start", ...units);
  // One that ran already has the program of before.
  systemd("systemctl", "try-restart", ...units.slice(-1));
  for (const sentence of NEXT[program]) context.stdout.write(`${sentence}\n`);
}

/** Prints what installService would write. */
export function printServiceFiles(context: Context, program: ProgramName): void {
  for (const { path, text } of serviceFiles(program, context, process.execPath))
    context.stdout.write(`==> ${path}\n${text}\n`);
}

/** Stops the units and removes what installService wrote. Throws SERVICE_REFUSED. */
export function uninstallService(context: Context, program: ProgramName): void {
  refuseWithoutSystemd(context);
  const written = serviceFiles(program, context, process.execPath).filter(({ path }) => isWrittenHere(path));
  if (written.length === 0)
    throw refused(
      `"apm service install ${program}" has installed nothing here: a package is removed with dpkg -r`,
    );
  systemd("systemctl", "disable", "--quiet", "--now", ...UNITS[program].toReversed());
  for (const { path } of written) {
    rmSync(path);
    context.stdout.write(`removed ${path}\n`);
  }
  systemd("systemctl", "daemon-reload");
  context.stdout.write(`configuration and state stay: /etc/apm-daemon, /var/lib/apm-${program}\n`);
}

function refuseWhereImpossible(context: Context, program: ProgramName): void {
  refuseWithoutSystemd(context);
  const packaged = PACKAGED_UNITS.map((folder) => `${folder}/apm-${program}.service`).find((path) =>
    existsSync(path),
  );
  if (packaged !== undefined)
    throw refused(
      `the package apm-${program} is installed and has its unit, ${packaged}: nothing is to be done`,
    );
  for (const path of [process.execPath, context.mainFile]) {
    const hidden = HIDDEN.find((folder) => path.startsWith(folder));
    if (hidden !== undefined)
      throw refused(
        `${path} is below ${hidden}, which the service may not see: install Node.js and apm for the whole system, e.g. below /usr/local`,
      );
  }
  for (const { path } of serviceFiles(program, context, process.execPath))
    if (existsSync(path) && !isWrittenHere(path))
      throw refused(`${path} is there and was not written by this command: move it away, then try again`);
}

function refuseWithoutSystemd({ isRoot }: Context): void {
  if (!existsSync(SYSTEMD_RUNS))
    throw refused("systemd does not run here: run apm daemon under the supervisor of this system");
  if (!isRoot) throw refused("services are root's: try again with sudo");
}

function write({ stdout }: Context, { path, text }: ServiceFile): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, 0o644);
  stdout.write(`wrote ${path}\n`);
}

function isWrittenHere(path: string): boolean {
  return existsSync(path) && readFileSync(path, "utf8").startsWith(WRITTEN_HERE);
}

function systemd(command: string, ...args: string[]): void {
  try {
    execFileSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  } catch (cause) {
    throw new CliError(
      "SERVICE_REFUSED",
      `${command} ${args.join(" ")} failed: see the lines above, and journalctl -xe`,
      { cause },
    );
  }
}

function refused(sentence: string): CliError {
  return new CliError("SERVICE_REFUSED", sentence);
}
