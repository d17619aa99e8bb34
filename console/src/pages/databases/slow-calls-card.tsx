import type { JSX } from "preact";
import { pageRange } from "../../app/location.ts";
import type { SlowStatementsAnswer } from "../../data/answers.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { KeptNote, NoneKept } from "../../ui/kept-note.tsx";
import { Answered } from "../../ui/states.tsx";
import { SlowStatementsTable } from "../app/slow-statements.tsx";
import "../../i18n/en/calls.ts";

/** Single calls that took long, of an app or of one statement. */
export function SlowCallsCard({ path }: { path: string }): JSX.Element {
  const slow = useAnswer<SlowStatementsAnswer>(path, pageRange.value);
  return (
    <Card title={t("calls.slow")} note={t("calls.slowNote")}>
      <Answered answer={slow}>
        {({ slowStatements, ...kept }) =>
          slowStatements.length === 0 ? (
            <NoneKept answer={kept} title={t("calls.noSlow")} hint={t("calls.noSlowHint")} />
          ) : (
            <>
              <SlowStatementsTable rows={slowStatements} />
              <KeptNote answer={kept} />
            </>
          )
        }
      </Answered>
    </Card>
  );
}
