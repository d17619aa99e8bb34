import type { JSX } from "preact";
import { link } from "../../app/location.ts";
import type { CallGroup } from "../../data/answers.ts";
import { t } from "../../i18n/translate.ts";
import { ActionName } from "../../ui/action-name.tsx";
import { count, duration, percent, text } from "../../ui/number-text.ts";
import { Table } from "../../ui/table.tsx";
import "../../i18n/en/calls.ts";

/** Actions that make the calls, most total time first. */
export function CallersTable(props: {
  app: string;
  actions: CallGroup["actions"];
  totalTimeMs: number;
}): JSX.Element {
  const { app, actions, totalTimeMs } = props;
  return (
    <Table
      label={t("calls.callers")}
      class="fixed-first"
      rows={actions}
      keyOf={(row) => row.action}
      columns={[
        {
          key: "action",
          label: t("metric.action"),
          cell: (row) => (
            <a
              class="row-link clip"
              href={link({ page: "action", app, action: row.action })}
              title={row.action}
            >
              <ActionName name={row.action} />
            </a>
          ),
        },
        {
          key: "share",
          label: t("metric.share"),
          isNumber: true,
          cell: (row) => text(percent(totalTimeMs === 0 ? null : row.totalTimeMs / totalTimeMs)),
        },
        {
          key: "calls",
          label: t("calls.calls"),
          isNumber: true,
          cell: (row) => text(count(row.calls)),
        },
        {
          key: "avg",
          label: t("metric.average"),
          isNumber: true,
          cell: (row) => text(duration(row.calls === 0 ? null : row.totalTimeMs / row.calls)),
        },
      ]}
    />
  );
}
