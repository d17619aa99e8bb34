import type { JSX } from "preact";
import { comparison } from "../../app/comparison.ts";
import { changedLink } from "../../app/location.ts";
import { Sparkline } from "../../chart/sparkline.tsx";
import type { ErrorsAnswer } from "../../data/answers.ts";
import { t } from "../../i18n/translate.ts";
import { agoText } from "../../ui/ago-text.ts";
import { count, text } from "../../ui/number-text.ts";
import { Table, type TableColumn } from "../../ui/table.tsx";
import "../../i18n/en/errors.ts";

export const ERROR_SORTS = ["new", "count", "last"] as const;
export type ErrorSort = (typeof ERROR_SORTS)[number];

type Row = ErrorsAnswer["errors"][number];

const ORDERS: Readonly<Record<ErrorSort, (a: Row, b: Row) => number>> = {
  new: (a, b) => Number(b.isNew) - Number(a.isNew) || b.count - a.count,
  count: (a, b) => b.count - a.count,
  last: (a, b) => b.lastUnixMs - a.lastUnixMs || b.count - a.count,
};

/** Groups of errors; a row leads to its stack and to traces that show it. */
export function GroupsTable(props: {
  errors: readonly Row[];
  /** The compared range's; null without comparison. */
  before: ErrorsAnswer | null;
  sort: ErrorSort;
}): JSX.Element {
  const { errors, before, sort } = props;
  const sorted = (by: ErrorSort): Partial<TableColumn<Row>> => ({
    sortHref: changedLink({ sort: by === "new" ? null : by }),
    isSorted: sort === by,
  });
  const columns: TableColumn<Row>[] = [
    { key: "message", label: t("metric.message"), cell: (row) => <Message row={row} /> },
    { key: "trend", label: t("errors.trend"), cell: (row) => <Trend row={row} /> },
    {
      key: "count",
      label: t("metric.count"),
      isNumber: true,
      ...sorted("count"),
      cell: (row) => text(count(row.count)),
    },
  ];
  if (before !== null && comparison.value !== "none") {
    const earlier = new Map(before.errors.map((row) => [row.group, row.count]));
    // An error that is not in a range of which a part is not kept may have been in that part.
    const otherwise = (before.keptFrom ?? null) === null ? 0 : null;
    columns.push({
      key: "before",
      label: t("errors.before", { when: t(`cmp.${comparison.value}`) }),
      isNumber: true,
      cell: (row) => text(count(earlier.get(row.group) ?? otherwise)),
    });
  }
  columns.push(
    {
      key: "first",
      label: t("errors.first"),
      isNumber: true,
      ...sorted("new"),
      cell: (row) => agoText(row.firstEverUnixMs),
    },
    {
      key: "last",
      label: t("metric.lastSeen"),
      isNumber: true,
      ...sorted("last"),
      cell: (row) => agoText(row.lastUnixMs),
    },
  );
  return (
    <Table
      label={t("errors.groups")}
      class="fixed-first"
      rows={[...errors].sort(ORDERS[sort])}
      keyOf={(row) => row.group}
      columns={columns}
    />
  );
}

function Message({ row }: { row: Row }): JSX.Element {
  return (
    <span class="two-lines">
      <a class="row-link clip" href={changedLink({ sel: row.group })} title={`${row.type}: ${row.message}`}>
        {row.isNew && (
          <>
            <span class="chip grade-fair" title={t("errors.newHint")}>
              {t("errors.new")}
            </span>{" "}
          </>
        )}
        <b class="bad">{row.type}</b> {row.message}
      </a>
      <small class="clip">{row.action}</small>
    </span>
  );
}

function Trend({ row }: { row: Row }): JSX.Element {
  return <Sparkline values={row.sparkline.counts} buckets={row.sparkline} color="status-5xx" />;
}
