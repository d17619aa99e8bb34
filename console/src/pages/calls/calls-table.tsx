import type { JSX } from "preact";
import { comparison } from "../../app/comparison.ts";
import { changedLink, link } from "../../app/location.ts";
import { t } from "../../i18n/translate.ts";
import { Change } from "../../ui/change.tsx";
import { count, duration, text, UNKNOWN } from "../../ui/number-text.ts";
import { ShareBar } from "../../ui/share-bar.tsx";
import { Table, type TableColumn } from "../../ui/table.tsx";
import { ErrorRate } from "../home/apps-table.tsx";
import { type CallRow, type CallSort, rowKey, sortedCalls } from "./call-row.ts";
import { selectionLink } from "./selection.ts";
import "../../i18n/en/calls.ts";

/** Calls with their share of the time of all of their kind; a row leads to what is known of it. */
export function CallsTable(props: {
  app: string;
  label: string;
  /** Heading of the first column. */
  heading: string;
  category: "database" | "cache" | "external";
  rows: readonly CallRow[];
  /** The same of the compared range; null without comparison. */
  before: readonly CallRow[] | null;
  sort: CallSort;
  /** Rows lead nowhere. */
  isPlain?: boolean;
}): JSX.Element {
  const { app, rows, before, sort, category, isPlain = false } = props;
  const largest = Math.max(0, ...rows.map((row) => row.share ?? 0));
  const split = { code: 0, database: 0, cache: 0, external: 0, queue: 0, [category]: 1 };
  const sorted = (by: CallSort): Partial<TableColumn<CallRow>> => ({
    sortHref: changedLink({ sort: by === "time" ? null : by }),
    isSorted: sort === by,
  });
  const columns: TableColumn<CallRow>[] = [
    { key: "name", label: props.heading, cell: (row) => <Name app={app} row={row} isPlain={isPlain} /> },
    {
      key: "share",
      label: t("metric.share"),
      ...sorted("time"),
      cell: (row) => <ShareBar share={row.share} largest={largest} split={split} />,
    },
    {
      key: "avg",
      label: t("metric.average"),
      isNumber: true,
      ...sorted("avg"),
      cell: (row) => text(duration(row.durationMs?.avg)),
    },
    {
      key: "p95",
      label: "p95",
      isNumber: true,
      ...sorted("p95"),
      cell: (row) => text(duration(row.durationMs?.p95)),
    },
    {
      key: "calls",
      label: t("metric.calls"),
      isNumber: true,
      ...sorted("calls"),
      cell: (row) => text(count(row.callsPerMinute)),
    },
    {
      key: "errors",
      label: t("metric.errorRate"),
      isNumber: true,
      ...sorted("errors"),
      cell: (row) => <ErrorRate rate={row.calls === 0 ? null : row.errors / row.calls} />,
    },
  ];
  if (before !== null && comparison.value !== "none") {
    const earlier = new Map(before.map((row) => [rowKey(row), row]));
    columns.push({
      key: "change",
      label: t("calls.avgChange", { when: t(`cmp.${comparison.value}`) }),
      isNumber: true,
      cell: (row) => <AvgChange now={row} before={earlier.get(rowKey(row))} />,
    });
  }
  return (
    <Table
      label={props.label}
      class="fixed-first"
      rows={sortedCalls(rows, sort)}
      keyOf={rowKey}
      columns={columns}
    />
  );
}

function Name({ app, row, isPlain }: { app: string; row: CallRow; isPlain: boolean }): JSX.Element {
  const [first, ...others] = row.actions;
  return (
    <span class="two-lines">
      {isPlain ? (
        <span class="mono strong clip" title={row.name}>
          {row.name}
        </span>
      ) : (
        <a class="row-link mono strong clip" href={selectionLink(row.parts)} title={row.name}>
          {row.name}
        </a>
      )}
      <small class="clip">
        {row.detail}
        {first && (
          <>
            {row.detail !== "" && " · "}
            <a href={link({ page: "action", app, action: first.action })}>
              {t("calls.calledBy", { action: first.action })}
            </a>
          </>
        )}
        {others.length > 0 && ` ${t("calls.moreCallers", { count: others.length })}`}
      </small>
    </span>
  );
}

/** How the average moved; more than a twentieth slower is bad. */
function AvgChange({ now, before }: { now: CallRow; before: CallRow | undefined }): JSX.Element {
  const [avg, earlier] = [now.durationMs?.avg ?? null, before?.durationMs?.avg ?? null];
  if (avg === null || earlier === null || earlier === 0) return <>{UNKNOWN}</>;
  const change = avg / earlier - 1;
  const direction = Math.abs(change) < 0.01 ? 0 : change > 0 ? 1 : -1;
  return (
    <Change text={`${(Math.abs(change) * 100).toFixed(0)} %`} direction={direction} isBad={change > 0.05} />
  );
}
