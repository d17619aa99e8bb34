import type { JSX } from "preact";
import { link, pageRange } from "../../app/location.ts";
import type { OperationsAnswer, StatusCodesAnswer, TracesAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { Answered, Empty } from "../../ui/states.tsx";
import { CallsTable, SqlTable } from "../app/operation-tables.tsx";
import { SlowStatements } from "../app/slow-statements.tsx";
import { StatusCodesTable } from "../app/status-codes.tsx";
import { TracesTable } from "../traces/traces-table.tsx";
import "../../i18n/en/actions.ts";
import "../../i18n/en/app.ts";
import "../../i18n/en/traces.ts";

const TABLE_ROWS = 20;

/** The tables below an action's charts. */
export function ActionTables({ app, action }: { app: string; action: string }): JSX.Element {
  const range = pageRange.value;
  const tracesPath = apiPaths.traces(app, { action, sort: "slowest", error: false, limit: TABLE_ROWS });
  const traces = useAnswer<TracesAnswer>(tracesPath, range);
  const database = useAnswer<OperationsAnswer>(apiPaths.operations(app, "database", action), range);
  const cache = useAnswer<OperationsAnswer>(apiPaths.operations(app, "cache", action), range);
  const external = useAnswer<OperationsAnswer>(apiPaths.operations(app, "external", action), range);
  const codes = useAnswer<StatusCodesAnswer>(apiPaths.statusCodes(app, action), range);
  return (
    <div class="grid">
      <Card
        class="span-12"
        title={t("app.slowTraces")}
        note={t("traces.note")}
        aside={<a href={link({ page: "traces", app }, { action })}>{t("app.allTraces")} →</a>}
      >
        <Answered answer={traces}>
          {({ traces }) =>
            traces.length === 0 ? (
              <Empty title={t("state.noTraces")} hint={t("state.noTracesHint")} />
            ) : (
              <TracesTable traces={traces} />
            )
          }
        </Answered>
      </Card>
      <Card class="span-8" title={t("app.slowSql")} note={t("actions.callees")}>
        <Answered answer={database}>
          {({ operations }) =>
            operations.length === 0 ? (
              <Empty title={t("state.noDatabase")} />
            ) : (
              <SqlTable app={app} operations={operations} limit={TABLE_ROWS} />
            )
          }
        </Answered>
        <SlowStatements app={app} action={action} />
      </Card>
      <Card class="span-4" title={t("app.statusCodes")} note={t("app.statusNote")}>
        <Answered answer={codes}>
          {(data) =>
            data.statusCodes.length === 0 ? (
              <Empty title={t("state.noStatus")} />
            ) : (
              <StatusCodesTable answer={data} before={null} />
            )
          }
        </Answered>
      </Card>
      <Card class="span-6" title={t("app.caches")} note={t("actions.callees")}>
        <Answered answer={cache}>
          {({ operations }) =>
            operations.length === 0 ? (
              <Empty title={t("state.noCache")} />
            ) : (
              <CallsTable app={app} kind="cache" operations={operations} limit={TABLE_ROWS} />
            )
          }
        </Answered>
      </Card>
      <Card class="span-6" title={t("app.external")} note={t("actions.callees")}>
        <Answered answer={external}>
          {({ operations }) =>
            operations.length === 0 ? (
              <Empty title={t("state.noExternal")} />
            ) : (
              <CallsTable app={app} kind="external" operations={operations} limit={TABLE_ROWS} />
            )
          }
        </Answered>
      </Card>
    </div>
  );
}
