import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CliContext } from "../cli-context.ts";
import type { ProgramName } from "../config/load-config.ts";

/** A file that makes systemd know a service. */
export interface ServiceFile {
  path: string;
  text: string;
}

/** Begins each file that this command wrote, so that it removes no other. */
export const WRITTEN_HERE = "# Written by apm service install; changes belong into a drop-in: systemctl edit";
/** What the packages' units start. */
const PACKAGED_PROGRAM = "/usr/bin/apm";

const TARGETS: Readonly<Record<ProgramName, Readonly<Record<string, string>>>> = {
  daemon: {
    "apm-daemon.sysusers": "/etc/sysusers.d/apm-daemon.conf",
    "apm-daemon.tmpfiles": "/etc/tmpfiles.d/apm-daemon.conf",
    "apm-daemon.socket": "/etc/systemd/system/apm-daemon.socket",
    "apm-daemon.service": "/etc/systemd/system/apm-daemon.service",
  },
  collector: { "apm-collector.service": "/etc/systemd/system/apm-collector.service" },
};

/** Units in the order in which they are started. */
export const UNITS: Readonly<Record<ProgramName, readonly string[]>> = {
  daemon: ["apm-daemon.socket", "apm-daemon.service"],
  collector: ["apm-collector.service"],
};

/** The units of the packages, with this very program in them. */
export function serviceFiles(
  program: ProgramName,
  { mainFile }: Pick<CliContext, "mainFile">,
  node: string,
): ServiceFile[] {
  const command = [node, mainFile].map(quoted).join(" ");
  return Object.entries(TARGETS[program]).map(([name, path]) => {
    const text = readFileSync(join(dirname(mainFile), "systemd", name), "utf8");
    return { path, text: `${WRITTEN_HERE}\n${text.replaceAll(PACKAGED_PROGRAM, () => command)}` };
  });
}

/** As systemd.service(5) reads a command line: "%" begins a specifier, "$" a variable, a blank ends a word. */
function quoted(word: string): string {
  const text = word
    .replaceAll("%", "%%")
    .replaceAll("$", "$$$$")
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"');
  return /[\s'"\\;]/.test(text) ? `"${text}"` : text;
}
