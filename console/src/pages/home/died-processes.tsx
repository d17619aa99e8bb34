import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { link, pageNowMs } from "../../app/location.ts";
import type { EndsAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { Answered } from "../../ui/states.tsx";
import { Table } from "../../ui/table.tsx";
import { dateTimeText } from "../../ui/time-text.ts";
import "../../i18n/en/ends.ts";

const DAY_MS = 86_400_000;
/** Whether a process died is asked no more often than this. */
const FRESH_MS = 60_000;

/** Processes of all apps that ended without a goodbye or with an error in the last day, whatever range the page shows. */
export function DiedProcesses(): JSX.Element {
  const minute = Math.ceil(pageNowMs.value / FRESH_MS) * FRESH_MS;
  const range = useMemo(() => ({ fromMs: minute - DAY_MS, toMs: minute }), [minute]);
  const answer = useAnswer<EndsAnswer>(apiPaths.ends(), range);
  return (
    <Card title={t("ends.died")} note={t("ends.diedNote")}>
      <Answered answer={answer}>
        {({ ends }) =>
          ends.length === 0 ? (
            <p class="note">{t("ends.noneDied")}</p>
          ) : (
            <Table
              label={t("ends.died")}
              rows={ends}
              keyOf={(row) => row.id}
              columns={[
                {
                  key: "app",
                  label: t("metric.app"),
                  cell: (row) => (
                    <a class="row-link strong" href={link({ page: "app", app: row.app }, around(row.unixMs))}>
                      {row.app}
                    </a>
                  ),
                },
                {
                  key: "kind",
                  label: t("ends.kind"),
                  cell: (row) => (
                    <span class={row.kind === "vanished" ? undefined : "bad"}>{t(`ends.${row.kind}`)}</span>
                  ),
                },
                { key: "title", label: t("ends.title"), cell: (row) => row.title },
                { key: "host", label: t("metric.host"), cell: (row) => `${row.host} · ${row.pid}` },
                {
                  key: "time",
                  label: t("ends.time"),
                  isNumber: true,
                  cell: (row) => dateTimeText(row.unixMs),
                },
              ]}
            />
          )
        }
      </Answered>
    </Card>
  );
}

/** The range in which the app's page has the whole report. */
function around(unixMs: number): Record<string, string> {
  const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 19).concat("Z");
  return { from: iso(unixMs - 900_000), to: iso(unixMs + 900_000) };
}
