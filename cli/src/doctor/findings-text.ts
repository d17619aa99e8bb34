import type { Paint } from "../terminal/paint.ts";
import { safeText } from "../terminal/safe-text.ts";
import type { Finding, Level } from "./finding.ts";

const MARKS: Readonly<Record<Level, { sign: string; style: "green" | "yellow" | "red" | "dim" }>> = {
  well: { sign: "✓", style: "green" },
  warning: { sign: "!", style: "yellow" },
  failure: { sign: "✗", style: "red" },
  unseen: { sign: "?", style: "dim" },
};
const WHAT_WIDTH = 14;

/** One line a finding, its remedy below it, and what it comes to. Without a newline at its end. */
export function findingsText(findings: readonly Finding[], paint: Paint): string {
  return [
    ...findings.flatMap((finding, i) => findingLines(finding, findings[i - 1], paint)),
    "",
    summary(findings, paint),
  ].join("\n");
}

function findingLines(finding: Finding, before: Finding | undefined, paint: Paint): string[] {
  const { sign, style } = MARKS[finding.level];
  // Further findings of one thing need not name it again.
  const what = before?.what === finding.what ? "" : finding.what;
  const found = safeText(finding.found);
  const line = `${paint(style, sign)} ${paint("bold", what.padEnd(WHAT_WIDTH))} ${finding.level === "unseen" ? paint("dim", found) : found}`;
  if (finding.remedy === null) return [line];
  return [line, `${" ".repeat(WHAT_WIDTH + 3)}${paint("cyan", `→ ${safeText(finding.remedy)}`)}`];
}

function summary(findings: readonly Finding[], paint: Paint): string {
  const count = (level: Level): number => findings.filter((finding) => finding.level === level).length;
  const [failures, warnings, unseen] = [count("failure"), count("warning"), count("unseen")];
  const parts = [
    ...(failures > 0 ? [paint("red", counted(failures, "failure"))] : []),
    ...(warnings > 0 ? [paint("yellow", counted(warnings, "warning"))] : []),
    ...(unseen > 0 ? [paint("dim", `${unseen} not seen`)] : []),
  ];
  return parts.length === 0 ? paint("green", "all is well") : parts.join(", ");
}

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}
