import type { JSX } from "preact";
import { link } from "../../app/location.ts";
import type { CallSample } from "../../data/answers.ts";
import { t } from "../../i18n/translate.ts";
import { ActionName } from "../../ui/action-name.tsx";
import { duration, text } from "../../ui/number-text.ts";
import { Table } from "../../ui/table.tsx";
import { dateTimeText } from "../../ui/time-text.ts";
import "../../i18n/en/calls.ts";

/** Single calls, each with the trace that holds it. */
export function SamplesTable({ samples }: { samples: readonly CallSample[] }): JSX.Element {
  return (
    <Table
      label={t("calls.samples")}
      class="fixed-first"
      rows={[...samples]}
      keyOf={(row) => `${row.traceId} ${row.spanId}`}
      columns={[
        {
          key: "action",
          label: t("metric.action"),
          cell: (row) => (
            <a
              class="row-link clip"
              href={link({ page: "trace", traceId: row.traceId }, { sel: row.spanId })}
              title={row.traceId}
            >
              <ActionName name={row.action} />
            </a>
          ),
        },
        {
          key: "operation",
          label: t("calls.operation"),
          cell: (row) => <span class="mono">{row.operation}</span>,
        },
        { key: "calls", label: t("calls.inTrace"), isNumber: true, cell: (row) => row.calls },
        {
          key: "duration",
          label: t("metric.max"),
          isNumber: true,
          cell: (row) => (
            <span class={row.error ? "bad" : undefined}>
              {row.error && <span title={t("calls.failed")}>✕ </span>}
              {text(duration(row.durationMs))}
            </span>
          ),
        },
        { key: "host", label: t("metric.host"), cell: (row) => row.host },
        {
          key: "start",
          label: t("metric.start"),
          isNumber: true,
          cell: (row) => dateTimeText(row.startUnixMs),
        },
      ]}
    />
  );
}
