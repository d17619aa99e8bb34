import type { Paint } from "../terminal/paint.ts";
import { shownCount } from "../terminal/quantities.ts";
import { safeText } from "../terminal/safe-text.ts";
import { type Column, tableLines } from "../terminal/table.ts";
import type { AppAudit, AuditResult } from "./audit.ts";

const COLUMNS: readonly Column[] = [
  { title: "app", align: "left" },
  { title: "created", align: "right" },
  { title: "stored", align: "right" },
  { title: "outbox", align: "right" },
  { title: "journal", align: "right" },
  { title: "in flight", align: "right" },
  { title: "lost", align: "right" },
];

/** An audit as a page of text: where the spans are, and a verdict; without a newline at its end. */
export function auditText(result: AuditResult, paint: Paint): string {
  const { host, stream, batches, apps } = result;
  const { after, upTo } = batches;
  const range = after >= upTo ? "no sealed batch" : `batches ${after + 1} to ${upTo}`;
  const place = host === "" ? "" : `${paint("bold", safeText(host))}  `;
  return [
    `${place}${paint("dim", `stream ${safeText(stream)}, ${range}`)}`,
    ...(apps.length === 0 ? ["no app has sent a span yet"] : appLines(apps, paint)),
    "",
    ...verdictLines(result, paint),
  ].join("\n");
}

function appLines(apps: readonly AppAudit[], paint: Paint): string[] {
  const rows = apps.map(({ app, created, stored, outbox, journal, inFlight, lost }) => [
    safeText(app),
    ...[created, stored, outbox, journal, inFlight, lost].map(shownCount),
  ]);
  const [titles = "", ...lines] = tableLines(COLUMNS, rows);
  return [paint("bold", titles), ...lines];
}

function verdictLines({ apps, differences, isComplete }: AuditResult, paint: Paint): string[] {
  if (isComplete)
    return [`${paint("green", "complete")}: every span that was created is stored or on its way`];
  const lost = apps.flatMap(({ app, dropped }) =>
    Object.entries(dropped).map(
      ([reason, spans]) =>
        `${paint("yellow", "lost")}: ${shownCount(spans)} spans of ${safeText(app)}, ${safeText(reason)}`,
    ),
  );
  const found = differences.map((sentence) => `${paint("red", "difference")}: ${safeText(sentence)}`);
  const verdict =
    found.length === 0
      ? "incomplete: spans were lost, and each of them is accounted for"
      : "incomplete: the sums differ";
  return [...lost, ...found, paint(found.length === 0 ? "yellow" : "red", verdict)];
}
