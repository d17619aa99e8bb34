import type { JSX } from "preact";
import { link } from "../../app/location.ts";
import type { ErrorGroup } from "../../data/answers.ts";
import { t } from "../../i18n/translate.ts";
import { agoText } from "../../ui/ago-text.ts";
import { count, text } from "../../ui/number-text.ts";
import { Table } from "../../ui/table.tsx";
import "../../i18n/en/app.ts";

/** Errors by group, each with a trace that shows it. */
export function ErrorGroups({ errors, limit }: { errors: ErrorGroup[]; limit: number }): JSX.Element {
  return (
    <Table
      label={t("app.errors")}
      class="fixed-first"
      rows={errors.slice(0, limit)}
      keyOf={(row) => `${row.group} ${row.action}`}
      columns={[
        {
          key: "message",
          label: t("metric.message"),
          cell: (row) => (
            <span class="two-lines">
              {row.traceId === null ? (
                <ErrorText row={row} />
              ) : (
                <a
                  class="row-link"
                  href={link({ page: "trace", traceId: row.traceId })}
                  title={t("app.showTrace")}
                >
                  <ErrorText row={row} />
                </a>
              )}
              <small class="clip">{row.action}</small>
            </span>
          ),
        },
        { key: "count", label: t("metric.count"), isNumber: true, cell: (row) => text(count(row.count)) },
        { key: "last", label: t("metric.lastSeen"), isNumber: true, cell: (row) => agoText(row.lastUnixMs) },
      ]}
    />
  );
}

function ErrorText({ row }: { row: ErrorGroup }): JSX.Element {
  return (
    <span class="clip" title={`${row.type}: ${row.message}`}>
      <b class="bad">{row.type}</b> {row.message}
    </span>
  );
}
