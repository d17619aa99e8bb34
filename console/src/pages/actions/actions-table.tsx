import type { JSX } from "preact";
import { changedLink, link } from "../../app/location.ts";
import type { ActionRow } from "../../data/answers.ts";
import { t } from "../../i18n/translate.ts";
import { ActionName } from "../../ui/action-name.tsx";
import { ApdexCell } from "../../ui/apdex-chip.tsx";
import { count, duration, percent, text } from "../../ui/number-text.ts";
import { ShareBar } from "../../ui/share-bar.tsx";
import { Table, type TableColumn } from "../../ui/table.tsx";
import { ErrorRate } from "../home/apps-table.tsx";
import "../../i18n/en/actions.ts";

/** Orders that the collector offers; the heading of a column leads to its own. */
export const ACTION_SORTS = ["time", "slowest", "dissatisfaction", "throughput", "errors"] as const;
export type ActionSort = (typeof ACTION_SORTS)[number];

/** Actions with the share of all time that each one takes. With `sort` the headings are links that change it. */
export function ActionsTable(props: { app: string; actions: ActionRow[]; sort?: ActionSort }): JSX.Element {
  const { app, actions, sort } = props;
  const largest = Math.max(0, ...actions.map((row) => row.wallClockShare ?? 0));
  const sorted = (by: ActionSort): Partial<TableColumn<ActionRow>> =>
    sort === undefined
      ? {}
      : { sortHref: changedLink({ sort: by === "time" ? null : by }), isSorted: sort === by };
  const columns: TableColumn<ActionRow>[] = [
    {
      key: "action",
      label: t("metric.action"),
      cell: (row) => (
        <a
          class="row-link action-cell"
          title={row.action}
          href={link({ page: "action", app, action: row.action })}
        >
          <ActionName name={row.action} />
        </a>
      ),
    },
    {
      key: "share",
      label: t("metric.wallClock"),
      ...sorted("time"),
      cell: (row) => <ShareBar share={row.wallClockShare} largest={largest} split={row.timeSplitMs} />,
    },
    {
      key: "avg",
      label: t("metric.average"),
      isNumber: true,
      ...sorted("slowest"),
      cell: (row) => text(duration(row.responseTimeMs?.avg)),
    },
    { key: "p95", label: "p95", isNumber: true, cell: (row) => text(duration(row.responseTimeMs?.p95)) },
    {
      key: "max",
      label: t("metric.max"),
      isNumber: true,
      cell: (row) => text(duration(row.responseTimeMs?.max)),
    },
    {
      key: "rpm",
      label: t("metric.rpm"),
      isNumber: true,
      ...sorted("throughput"),
      cell: (row) => text(count(row.throughputRpm)),
    },
    {
      key: "errors",
      label: t("metric.errorRate"),
      isNumber: true,
      ...sorted("errors"),
      cell: (row) => <ErrorRate rate={row.errorRate} />,
    },
    {
      key: "apdex",
      label: t("metric.apdex"),
      cell: (row) => <ApdexCell score={row.apdex} requests={row.requests} />,
    },
  ];
  if (sort !== undefined) {
    columns.push({
      key: "dissatisfaction",
      label: t("metric.dissatisfaction"),
      isNumber: true,
      ...sorted("dissatisfaction"),
      cell: (row) => text(percent(row.dissatisfactionShare)),
    });
  }
  return (
    <Table
      label={t("actions.title")}
      rows={actions}
      keyOf={(row) => `${row.kind} ${row.action}`}
      columns={columns}
    />
  );
}
