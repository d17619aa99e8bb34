import type { JSX } from "preact";
import { pageRange, search } from "../../app/location.ts";
import { choice } from "../../app/url-state.ts";
import type { OperationsAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { Answered } from "../../ui/states.tsx";
import { CallDetail } from "../calls/call-detail.tsx";
import { storeName } from "../calls/call-name.ts";
import { CALL_SORTS, operationRow } from "../calls/call-row.ts";
import { CallsTable } from "../calls/calls-table.tsx";
import "../../i18n/en/calls.ts";

/** One service, whatever is called there. */
export function ServiceDetail({ app, parts }: { app: string; parts: string[] }): JSX.Element {
  const [system = "", target = ""] = parts;
  return (
    <CallDetail
      app={app}
      keys={{ category: "external", system, target }}
      name={storeName({ system, target })}
      by="store"
      after={<Operations app={app} system={system} target={target} />}
    />
  );
}

function Operations(props: { app: string; system: string; target: string }): JSX.Element {
  const { app, system, target } = props;
  const answer = useAnswer<OperationsAnswer>(apiPaths.operations(app, "external"), pageRange.value);
  return (
    <Card title={t("calls.operations")} note={storeName({ system, target })}>
      <Answered answer={answer}>
        {({ operations }) => (
          <CallsTable
            app={app}
            label={t("calls.operations")}
            heading={t("calls.operation")}
            category="external"
            rows={operations
              .filter((row) => row.system === system && row.target === target)
              .map((row) => ({ ...operationRow(row), detail: "" }))}
            before={null}
            sort={choice(search.value, "sort", CALL_SORTS)}
            isPlain
          />
        )}
      </Answered>
    </Card>
  );
}
