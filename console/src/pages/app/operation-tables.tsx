import type { JSX } from "preact";
import { link } from "../../app/location.ts";
import type { OperationRow } from "../../data/answers.ts";
import { t } from "../../i18n/translate.ts";
import { count, duration, percent, text } from "../../ui/number-text.ts";
import { Table, type TableColumn } from "../../ui/table.tsx";
import { ErrorRate } from "../home/apps-table.tsx";
import "../../i18n/en/app.ts";

interface OperationsProps {
  app: string;
  operations: OperationRow[];
  limit: number;
}

function keyOf(row: OperationRow): string {
  return [row.category, row.system, row.target, row.operation, row.statement].join(" ");
}

const avgColumn = (): TableColumn<OperationRow> => ({
  key: "avg",
  label: t("metric.average"),
  isNumber: true,
  cell: (row) => text(duration(row.durationMs?.avg)),
});
const p95Column = (): TableColumn<OperationRow> => ({
  key: "p95",
  label: "p95",
  isNumber: true,
  cell: (row) => text(duration(row.durationMs?.p95)),
});
const callsColumn = (): TableColumn<OperationRow> => ({
  key: "calls",
  label: t("metric.calls"),
  isNumber: true,
  cell: (row) => text(count(row.callsPerMinute)),
});
const shareColumn = (): TableColumn<OperationRow> => ({
  key: "share",
  label: t("metric.share"),
  isNumber: true,
  cell: (row) => text(percent(row.share)),
});
const errorColumn = (): TableColumn<OperationRow> => ({
  key: "errors",
  label: t("metric.errorRate"),
  isNumber: true,
  cell: (row) => <ErrorRate rate={row.calls === 0 ? null : row.errors / row.calls} />,
});

/** Statements by their share of the database time, with the actions that send them. */
export function SqlTable({ app, operations, limit }: OperationsProps): JSX.Element {
  return (
    <Table
      label={t("app.slowSql")}
      class="fixed-first"
      rows={operations.slice(0, limit)}
      keyOf={keyOf}
      columns={[
        { key: "statement", label: t("metric.statement"), cell: (row) => <Statement app={app} row={row} /> },
        shareColumn(),
        avgColumn(),
        p95Column(),
        callsColumn(),
      ]}
    />
  );
}

function Statement({ app, row }: { app: string; row: OperationRow }): JSX.Element {
  const statement =
    row.statementText === null || row.statementText === "" ? row.operation : row.statementText;
  const [first, ...others] = row.actions;
  return (
    <span class="two-lines">
      <span class="mono strong clip" title={statement}>
        {statement}
      </span>
      <small class="clip">
        {row.system} {row.target}
        {first && (
          <>
            {" · "}
            <a href={link({ page: "action", app, action: first.action })}>
              {t("app.calledBy", { action: first.action })}
            </a>
          </>
        )}
        {others.length > 0 && ` ${t("app.moreCallers", { count: others.length })}`}
      </small>
    </span>
  );
}

/** Caches by store and command; external services by host and operation. */
export function CallsTable(props: OperationsProps & { kind: "cache" | "external" }): JSX.Element {
  const { operations, limit, kind } = props;
  const name: TableColumn<OperationRow> = {
    key: "name",
    label: kind === "cache" ? t("metric.store") : t("metric.service"),
    cell: (row) => (
      <span class="two-lines">
        <span class="strong clip" title={row.operation}>
          {row.operation}
        </span>
        <small class="clip">
          {row.system} {row.target}
        </small>
      </span>
    ),
  };
  const columns =
    kind === "cache"
      ? [name, avgColumn(), p95Column(), callsColumn(), errorColumn()]
      : [name, shareColumn(), avgColumn(), p95Column(), callsColumn(), errorColumn()];
  const label = kind === "cache" ? t("app.caches") : t("app.external");
  return (
    <Table
      label={label}
      class="fixed-first"
      rows={operations.slice(0, limit)}
      keyOf={keyOf}
      columns={columns}
    />
  );
}
