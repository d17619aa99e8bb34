import type { JSX } from "preact";
import { pageRange } from "../../app/location.ts";
import type { OperationsAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { OperationsCard } from "../calls/operations-card.tsx";
import "../../i18n/en/calls.ts";

/** Commands of all stores by their share of the time. */
export function CommandsCard({ app }: { app: string }): JSX.Element {
  const operations = useAnswer<OperationsAnswer>(apiPaths.operations(app, "cache"), pageRange.value);
  return (
    <OperationsCard
      app={app}
      category="cache"
      answer={operations}
      title={t("calls.commands")}
      note={t("calls.commandsNote")}
      heading={t("calls.command")}
    />
  );
}
