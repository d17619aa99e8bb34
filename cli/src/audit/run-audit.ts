import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { offlineLedger, readOutboxRows, recountJournal } from "@apm-daemon/daemon";
import type { LedgerReport } from "@apm-daemon/protocol";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { tokenHeader } from "../collector-token.ts";
import { loadDaemonConfig } from "../config/program-config.ts";
import { fetchDaemon } from "../status/status-client.ts";
import { paintFor } from "../terminal/paint.ts";
import { type AuditResult, audit } from "./audit.ts";
import { auditText } from "./audit-text.ts";
import { fetchStoredLedger } from "./collector-ledger.ts";

export interface AuditOptions {
  stateDir?: string;
  config?: string;
  collector?: string;
  tokenFile?: string;
  from?: string;
  to?: string;
  json?: boolean;
}

const MAX_REPEATS = 2;
const REPEAT_AFTER_MS = 1_000;

/** Audits and prints the result; the exit code. */
export async function runAudit(context: CliContext, options: AuditOptions): Promise<number> {
  const result = await steadyAudit(context, options);
  const paint = paintFor(context.stdout, context.env);
  context.stdout.write(`${options.json ? JSON.stringify(result, null, 2) : auditText(result, paint)}\n`);
  return result.isComplete ? 0 : 1;
}

/** The four places are asked one after the other: a difference counts when it is still there a moment later. */
async function steadyAudit(context: CliContext, options: AuditOptions): Promise<AuditResult> {
  let result = await auditOnce(context, options);
  for (let again = 0; again < MAX_REPEATS && result.differences.length > 0; again++) {
    await delay(REPEAT_AFTER_MS);
    result = await auditOnce(context, options);
  }
  return result;
}

async function auditOnce(context: CliContext, options: AuditOptions): Promise<AuditResult> {
  const { config } = await loadDaemonConfig(context, {
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(options.stateDir === undefined ? {} : { stateDir: options.stateDir }),
  });
  const [from, to] = [timeOf("--from", options.from), timeOf("--to", options.to)];
  const inStateDir = (...parts: string[]): string => join(config.state_dir, ...parts);
  const running = await askDaemon(join(config.run_dir, "status.sock"));
  // In this order: a batch that is stored and deleted meanwhile is found in one place at least, and counted in one.
  const report =
    running ?? readable(config.state_dir, () => offlineLedger(config.state_dir, config.collector));
  if (report === null)
    throw new CliError(
      "NOTHING_LISTENING",
      `no daemon runs with ${config.state_dir} and none ever sealed a batch there; name its folder with --state-dir`,
    );
  const { sealed, position } = report.journal;
  const journal = readable(config.state_dir, () => recountJournal(inStateDir("journal"), sealed, position));
  const outbox = readable(config.state_dir, () =>
    readOutboxRows(inStateDir("outbox"), report.stream, report.nextNumber),
  );
  const isUpToNow = to === null || to >= Date.now();
  const stored = await fetchStoredLedger(
    options.collector ?? report.collector,
    {
      stream: report.stream,
      upTo: String(report.nextNumber - 1),
      from: String(from ?? 0),
      ...(isUpToNow ? {} : { to: String(to) }),
    },
    // The license key is for the daemon's own collector alone.
    tokenHeader(
      context,
      options.tokenFile,
      options.collector === undefined ? [config.license_key_file, inStateDir("up.key")] : [],
    ),
  );
  return audit({ report, journal, outbox, stored, isUpToNow });
}

/** Null when no daemon runs there. */
async function askDaemon(socket: string): Promise<LedgerReport | null> {
  try {
    return (await fetchDaemon([socket], "/ledger")) as LedgerReport;
  } catch (error) {
    if (error instanceof CliError && error.code === "NOTHING_LISTENING") return null;
    throw error;
  }
}

function readable<Value>(stateDir: string, read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new CliError(
      "FILE_UNREADABLE",
      code === "EACCES"
        ? `this user must not read ${resolve(stateDir)}: run "apm audit" as the daemon's user or root`
        : `${resolve(stateDir)} cannot be read: ${message}; name the daemon's folder with --state-dir`,
      { cause },
    );
  }
}

function timeOf(flag: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (!Number.isSafeInteger(ms))
    throw new CliError(
      "USAGE",
      `${flag} must be a time such as 2026-11-25T08:00 or Unix milliseconds, not "${text}"`,
    );
  return ms;
}
