import type { JSX } from "preact";
import { comparedRange } from "../../app/comparison.ts";
import { search } from "../../app/location.ts";
import { choice } from "../../app/url-state.ts";
import type { OperationsAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { type Answer, useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { Answered } from "../../ui/states.tsx";
import { CALL_SORTS, operationRow } from "./call-row.ts";
import { CallsTable } from "./calls-table.tsx";
import { SortChoice } from "./sort-choice.tsx";
import "../../i18n/en/calls.ts";

/** As many as the collector answers. */
const MAX_ROWS = 200;

/** Every statement or command of an app with its figures. */
export function OperationsCard(props: {
  app: string;
  category: "database" | "cache" | "external";
  answer: Answer<OperationsAnswer>;
  title: string;
  note: string;
  heading: string;
}): JSX.Element {
  const { app, category, answer, title, note, heading } = props;
  const before = comparedRange.value;
  const path = before === null ? null : apiPaths.operations(app, category);
  const earlier = useAnswer<OperationsAnswer>(path, before);
  const sort = choice(search.value, "sort", CALL_SORTS);
  return (
    <Card title={title} note={note} aside={<SortChoice sort={sort} />}>
      <Answered answer={answer}>
        {({ operations }) => (
          <>
            <CallsTable
              app={app}
              label={title}
              heading={heading}
              category={category}
              rows={operations.map(operationRow)}
              before={earlier.data?.operations.map(operationRow) ?? null}
              sort={sort}
            />
            {operations.length === MAX_ROWS && (
              <p class="note after-table">{t("calls.limited", { count: MAX_ROWS })}</p>
            )}
          </>
        )}
      </Answered>
    </Card>
  );
}
