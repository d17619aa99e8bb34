import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { paintFor } from "../terminal/paint.ts";
import { checkAppLibraries } from "./app-libraries.ts";
import { checkApps } from "./apps.ts";
import { checkClock } from "./clock.ts";
import { checkCollector } from "./collector.ts";
import { checkConfiguration } from "./configuration.ts";
import { checkDaemon } from "./daemon-process.ts";
import { checkDiskSpace } from "./disk-space.ts";
import { type DoctorOptions, type Examined, examine } from "./examined.ts";
import type { Finding } from "./finding.ts";
import { findingsText } from "./findings-text.ts";
import { checkLicenseKey } from "./license-key.ts";
import { checkLimits } from "./limits.ts";
import { checkSockets } from "./sockets.ts";
import { checkStateFolder } from "./state-folder.ts";
import { checkStoredData } from "./stored-data.ts";
import { checkVersions } from "./versions.ts";

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

/** Runs every check and prints the findings; the exit code. */
export async function diagnose(
  context: CliContext,
  { json, ...options }: DoctorOptions & { json?: boolean },
): Promise<number> {
  if (options.collector !== undefined && !/^wss?:\/\/[^/]/.test(options.collector))
    throw new CliError("USAGE", "--collector must be an address like ws://127.0.0.1:8460");
  const examined = await examine(context, options);
  const findings: Finding[] = [];
  for (const check of CHECKS) findings.push(...(await check(examined)));
  const text = json
    ? JSON.stringify({ version: context.version, findings }, null, 2)
    : findingsText(findings, paintFor(context.stdout, context.env));
  context.stdout.write(`${text}\n`);
  return findings.some(({ level }) => level === "failure") ? 1 : 0;
}
