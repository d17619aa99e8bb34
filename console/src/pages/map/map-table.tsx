import type { JSX } from "preact";
import { changedLink, link } from "../../app/location.ts";
import type { MapEdge, MapNode, ServiceMapAnswer } from "../../data/answers.ts";
import { t } from "../../i18n/translate.ts";
import { count, duration, text } from "../../ui/number-text.ts";
import { Table, type TableColumn } from "../../ui/table.tsx";
import { ErrorRate } from "../home/apps-table.tsx";
import { callLink, nodeName } from "./map-names.ts";
import "../../i18n/en/map.ts";

export const MAP_SORTS = ["time", "calls", "avg", "errors"] as const;
export type MapSort = (typeof MAP_SORTS)[number];

const SORT_VALUES: Readonly<Record<MapSort, (edge: MapEdge) => number>> = {
  time: (edge) => edge.totalTimeMs,
  calls: (edge) => edge.calls,
  avg: (edge) => edge.avgMs ?? -1,
  errors: (edge) => edge.errorRate ?? -1,
};

interface Row extends MapEdge {
  caller: MapNode;
  called: MapNode;
}

/** Each line of the map as a row. */
export function MapTable({ map, sort }: { map: ServiceMapAnswer; sort: MapSort }): JSX.Element {
  const nodes = new Map(map.nodes.map((node) => [node.id, node]));
  const rows = map.edges.flatMap((edge): Row[] => {
    const [caller, called] = [nodes.get(edge.from), nodes.get(edge.to)];
    return caller && called ? [{ ...edge, caller, called }] : [];
  });
  const value = SORT_VALUES[sort];
  const sorted = (by: MapSort): Partial<TableColumn<Row>> => ({
    sortHref: changedLink({ sort: by === "time" ? null : by }),
    isSorted: sort === by,
  });
  return (
    <Table
      label={t("map.title")}
      class="fixed-first"
      rows={rows.sort((a, b) => value(b) - value(a) || b.totalTimeMs - a.totalTimeMs)}
      keyOf={(row) => `${row.from} ${row.to}`}
      columns={[
        {
          key: "called",
          label: t("map.called"),
          cell: (row) => <Called row={row} />,
        },
        {
          key: "caller",
          label: t("map.caller"),
          cell: (row) => <a href={link({ page: "app", app: row.caller.app })}>{row.caller.app}</a>,
        },
        {
          key: "calls",
          label: t("metric.calls"),
          isNumber: true,
          ...sorted("calls"),
          cell: (row) => text(count(row.callsPerMinute)),
        },
        {
          key: "avg",
          label: t("metric.average"),
          isNumber: true,
          ...sorted("avg"),
          cell: (row) => text(duration(row.avgMs)),
        },
        {
          key: "errors",
          label: t("metric.errorRate"),
          isNumber: true,
          ...sorted("errors"),
          cell: (row) => <ErrorRate rate={row.errorRate} />,
        },
        {
          key: "time",
          label: t("map.sort.time"),
          isNumber: true,
          ...sorted("time"),
          cell: (row) => text(duration(row.totalTimeMs)),
        },
      ]}
    />
  );
}

function Called({ row }: { row: Row }): JSX.Element {
  const { called, caller } = row;
  const node = { ...called, members: 1 };
  const href = called.kind === "app" ? link({ page: "app", app: called.app }) : callLink(caller.app, node);
  const targets = row.targets.filter((target) => target !== "" && target !== called.target);
  return (
    <span class="two-lines">
      <a class="strong clip" href={href}>
        {nodeName(node)}
      </a>
      <small class="clip">
        {[t(`map.kind.${called.kind}`), called.system, ...targets].filter((part) => part !== "").join(" · ")}
      </small>
    </span>
  );
}
