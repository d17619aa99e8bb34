import type { JSX } from "preact";
import { pageRange } from "../../app/location.ts";
import type { SlowStatementsAnswer } from "../../data/answers.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { Answered, Empty } from "../../ui/states.tsx";
import { SlowStatementsTable } from "../app/slow-statements.tsx";
import "../../i18n/en/calls.ts";

/** Single calls that took long, of an app or of one statement. */
export function SlowCallsCard({ path }: { path: string }): JSX.Element {
  const slow = useAnswer<SlowStatementsAnswer>(path, pageRange.value);
  return (
    <Card title={t("calls.slow")} note={t("calls.slowNote")}>
      <Answered answer={slow}>
        {({ slowStatements }) =>
          slowStatements.length === 0 ? (
            <Empty title={t("calls.noSlow")} hint={t("calls.noSlowHint")} />
          ) : (
            <SlowStatementsTable rows={slowStatements} />
          )
        }
      </Answered>
    </Card>
  );
}
