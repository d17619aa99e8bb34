import type { JSX } from "preact";
import { comparedRange } from "../../app/comparison.ts";
import { link, pageRange } from "../../app/location.ts";
import type {
  ActionsAnswer,
  ErrorsAnswer,
  OperationsAnswer,
  StatusCodesAnswer,
  TracesAnswer,
} from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { Answered, Empty } from "../../ui/states.tsx";
import { ActionsTable } from "../actions/actions-table.tsx";
import { TracesTable } from "../traces/traces-table.tsx";
import { ErrorGroups } from "./error-groups.tsx";
import { CallsTable, SqlTable } from "./operation-tables.tsx";
import { OwnCounters } from "./own-counters.tsx";
import { SlowStatements } from "./slow-statements.tsx";
import { StatusCodesTable } from "./status-codes.tsx";
import "../../i18n/en/app.ts";
import "../../i18n/en/traces.ts";

const SHORT_TABLE_ROWS = 7;
/** Two such tables stand beside a long one. */
const SIDE_TABLE_ROWS = 4;

/** The tables below an app's charts. */
export function AppTables({ app }: { app: string }): JSX.Element {
  const range = pageRange.value;
  const before = comparedRange.value;
  const actions = useAnswer<ActionsAnswer>(apiPaths.actions(app, "all", "time"), range);
  const database = useAnswer<OperationsAnswer>(apiPaths.operations(app, "database"), range);
  const cache = useAnswer<OperationsAnswer>(apiPaths.operations(app, "cache"), range);
  const external = useAnswer<OperationsAnswer>(apiPaths.operations(app, "external"), range);
  const codes = useAnswer<StatusCodesAnswer>(apiPaths.statusCodes(app), range);
  const codesBefore = useAnswer<StatusCodesAnswer>(
    before === null ? null : apiPaths.statusCodes(app),
    before,
  );
  const errors = useAnswer<ErrorsAnswer>(apiPaths.errors(app), range);
  const traces = useAnswer<TracesAnswer>(
    apiPaths.traces(app, { sort: "slowest", error: false, limit: SHORT_TABLE_ROWS }),
    range,
  );
  const limit = SHORT_TABLE_ROWS;
  return (
    <div class="grid">
      <Card
        class="span-12"
        title={t("app.actions")}
        note={t("app.actionsNote")}
        aside={
          <a href={link({ page: "actions", app })}>
            {t("app.allActions", { count: actions.data?.actions.length ?? "…" })} →
          </a>
        }
      >
        <Answered answer={actions}>
          {(data) =>
            data.actions.length === 0 ? (
              <Empty title={t("state.noTraffic")} hint={t("state.noTrafficPlain")} />
            ) : (
              <ActionsTable app={app} actions={data.actions.slice(0, limit)} />
            )
          }
        </Answered>
      </Card>
      <Card class="span-6" title={t("app.slowSql")} note={t("app.slowSqlNote")}>
        <Answered answer={database}>
          {({ operations }) =>
            operations.length === 0 ? (
              <Empty title={t("state.noDatabase")} />
            ) : (
              <SqlTable app={app} operations={operations} limit={limit} />
            )
          }
        </Answered>
        <SlowStatements app={app} />
      </Card>
      <div class="span-6 column">
        <Card title={t("app.statusCodes")} note={t("app.statusNote")}>
          <Answered answer={codes}>
            {(data) =>
              data.statusCodes.length === 0 ? (
                <Empty title={t("state.noStatus")} />
              ) : (
                <StatusCodesTable answer={data} before={codesBefore.data} />
              )
            }
          </Answered>
        </Card>
        <Card title={t("app.caches")} note={t("app.perCall")}>
          <Answered answer={cache}>
            {({ operations }) =>
              operations.length === 0 ? (
                <Empty title={t("state.noCache")} />
              ) : (
                <CallsTable app={app} kind="cache" operations={operations} limit={SIDE_TABLE_ROWS} />
              )
            }
          </Answered>
        </Card>
        <Card title={t("app.external")} note={t("app.externalNote")}>
          <Answered answer={external}>
            {({ operations }) =>
              operations.length === 0 ? (
                <Empty title={t("state.noExternal")} />
              ) : (
                <CallsTable app={app} kind="external" operations={operations} limit={SIDE_TABLE_ROWS} />
              )
            }
          </Answered>
        </Card>
      </div>
      <Card
        class="span-6"
        title={t("app.slowTraces")}
        note={t("traces.note")}
        aside={<a href={link({ page: "traces", app })}>{t("app.allTraces")} →</a>}
      >
        <Answered answer={traces}>
          {({ traces }) =>
            traces.length === 0 ? (
              <Empty title={t("state.noTraces")} hint={t("state.noTracesHint")} />
            ) : (
              <TracesTable traces={traces} isShort />
            )
          }
        </Answered>
      </Card>
      <Card class="span-6" title={t("app.errors")} note={t("app.errorsNote")}>
        <Answered answer={errors}>
          {({ errors }) =>
            errors.length === 0 ? (
              <Empty title={t("state.noErrors")} />
            ) : (
              <ErrorGroups errors={errors} limit={limit} />
            )
          }
        </Answered>
      </Card>
      <OwnCounters app={app} />
    </div>
  );
}
