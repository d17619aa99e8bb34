import type { JSX } from "preact";
import { pageRange } from "../../app/location.ts";
import type { OperationsAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { OperationsCard } from "../calls/operations-card.tsx";
import { SlowCallsCard } from "./slow-calls-card.tsx";
import "../../i18n/en/calls.ts";

/** The tables below the charts of an app's databases. */
export function DatabaseTables({ app }: { app: string }): JSX.Element {
  const operations = useAnswer<OperationsAnswer>(apiPaths.operations(app, "database"), pageRange.value);
  return (
    <>
      <OperationsCard
        app={app}
        category="database"
        answer={operations}
        title={t("calls.statements")}
        note={t("calls.statementsNote")}
        heading={t("metric.statement")}
      />
      <SlowCallsCard path={apiPaths.slowStatements(app, undefined, 20)} />
    </>
  );
}
