import type { JSX } from "preact";
import { link, pageRange } from "../../app/location.ts";
import type { SlowStatement, SlowStatementsAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { agoText } from "../../ui/ago-text.ts";
import { duration, text } from "../../ui/number-text.ts";
import { Table } from "../../ui/table.tsx";
import "../../i18n/en/app.ts";

/** The slowest single calls to databases; nothing when there are none. */
export function SlowStatements({ app, action }: { app: string; action?: string }): JSX.Element | null {
  const answer = useAnswer<SlowStatementsAnswer>(apiPaths.slowStatements(app, action), pageRange.value);
  const rows = answer.data?.slowStatements ?? [];
  return rows.length === 0 ? null : <SlowStatementsTable rows={rows} />;
}

/** Single calls to databases, each with its trace and where it was called from. */
export function SlowStatementsTable({ rows }: { rows: SlowStatement[] }): JSX.Element {
  return (
    <Table
      label={t("app.slowCalls")}
      class="fixed-first"
      rows={rows}
      keyOf={(row) => `${row.traceId} ${row.endUnixMs} ${row.statement}`}
      columns={[
        { key: "statement", label: t("app.slowCalls"), cell: (row) => <Call row={row} /> },
        {
          key: "duration",
          label: t("metric.duration"),
          isNumber: true,
          cell: (row) => text(duration(row.durationMs)),
        },
        { key: "last", label: t("metric.lastSeen"), isNumber: true, cell: (row) => agoText(row.endUnixMs) },
      ]}
    />
  );
}

function Call({ row }: { row: SlowStatement }): JSX.Element {
  const [frame = ""] = row.stack.split("\n");
  return (
    <span class="two-lines">
      <a
        class="row-link mono clip"
        href={link({ page: "trace", traceId: row.traceId })}
        title={row.statementText ?? row.operation}
      >
        {row.statementText ?? row.operation}
      </a>
      <small class="clip" title={row.stack}>
        {row.action} {frame.trim()}
      </small>
    </span>
  );
}
