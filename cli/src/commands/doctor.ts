import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { checkAppLibraries } from "../doctor/app-libraries.ts";
import { checkApps } from "../doctor/apps.ts";
import { checkClock } from "../doctor/clock.ts";
import { checkCollector } from "../doctor/collector.ts";
import { checkConfiguration } from "../doctor/configuration.ts";
import { checkDaemon } from "../doctor/daemon-process.ts";
import { checkDiskSpace } from "../doctor/disk-space.ts";
import { type DoctorOptions, type Examined, examine } from "../doctor/examined.ts";
import type { Finding } from "../doctor/finding.ts";
import { findingsText } from "../doctor/findings-text.ts";
import { checkLicenseKey } from "../doctor/license-key.ts";
import { checkLimits } from "../doctor/limits.ts";
import { checkSockets } from "../doctor/sockets.ts";
import { checkStateFolder } from "../doctor/state-folder.ts";
import { checkStoredData } from "../doctor/stored-data.ts";
import { checkVersions } from "../doctor/versions.ts";
import { paintFor } from "../terminal/paint.ts";

type Check = (examined: Examined) => Finding[] | Promise<Finding[]>;

/** In the order in which one thing rests on the other. */
const CHECKS: readonly Check[] = [
  checkConfiguration,
  checkStateFolder,
  checkDiskSpace,
  checkDaemon,
  checkSockets,
  checkStoredData,
  checkCollector,
  checkLicenseKey,
  checkClock,
  checkLimits,
  checkVersions,
  checkApps,
  checkAppLibraries,
];

export function addDoctorCommand(program: Command, context: CliContext): void {
  program
    .command("doctor")
    .description("look for what is wrong on this host, and say what to do; exit code 0 when nothing failed")
    .option("--state-dir <dir>", "state folder of the daemon; default: the daemon's default place")
    .option("--config <file>", "configuration file of the daemon")
    .option("--collector <url>", "collector to try; default: the one that the daemon reports to")
    .option("--app-dir <dir>", "folder of an app, to see which of its libraries are recorded")
    .option("--json", "print the findings as JSON")
    .action(async ({ json, ...options }: DoctorOptions & { json?: boolean }) => {
      if (options.collector !== undefined && !/^wss?:\/\/[^/]/.test(options.collector))
        throw new CliError("USAGE", "--collector must be an address like ws://127.0.0.1:8460");
      const examined = await examine(context, options);
      const findings: Finding[] = [];
      for (const check of CHECKS) findings.push(...(await check(examined)));
      const text = json
        ? JSON.stringify({ version: context.version, findings }, null, 2)
        : findingsText(findings, paintFor(context.stdout, context.env));
      context.stdout.write(`${text}\n`);
      context.finish(findings.some(({ level }) => level === "failure") ? 1 : 0);
    });
}
