import { runApm, type StateDir } from "./system.ts";

/** What of `apm audit --json` tests read. */
export interface Audit {
  apps: { app: string; created: number; stored: number; lost: number }[];
  differences: string[];
  isComplete: boolean;
}

/** `apm audit` of a daemon and of the collector that it reports to. */
export async function runAudit(stateDir: Pick<StateDir, "path">, collectorUrl: string): Promise<Audit> {
  const where = ["--state-dir", stateDir.path, "--collector", collectorUrl];
  const { code, stdout, output } = await runApm(["audit", ...where, "--json"]);
  if (stdout.trim() === "") throw new Error(`apm audit printed nothing: ${output}`);
  const audit = JSON.parse(stdout) as Audit;
  if (audit.isComplete !== (code === 0))
    throw new Error(`apm audit ended with exit code ${code}, and says: ${stdout}`);
  return audit;
}

/** What is wrong by the audit, when an app made so many spans and all has arrived; a sentence each, none when all is well. */
export function auditProblems(audit: Audit, app: string, spans: number): string[] {
  const entry = audit.apps.find((candidate) => candidate.app === app);
  const problems = [...audit.differences];
  if (entry?.created !== spans || entry.stored !== spans)
    problems.push(`${app} made ${spans} spans, the audit says ${JSON.stringify(entry)}`);
  if (!audit.isComplete && problems.length === 0) problems.push(`incomplete: ${JSON.stringify(audit)}`);
  return problems;
}
