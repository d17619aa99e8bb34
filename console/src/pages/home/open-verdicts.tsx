import type { JSX } from "preact";
import { pageRange } from "../../app/location.ts";
import type { VerdictsAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { VerdictSummary } from "../../ui/verdict-summary.tsx";
import "../../i18n/en/verdict.ts";

const MOST_APPS = 10;

/** A sentence for each app that had slow requests, those with a known cause first. */
export function OpenVerdicts(): JSX.Element | null {
  const { data } = useAnswer<VerdictsAnswer>(apiPaths.verdicts(), pageRange.value);
  const apps = data?.apps ?? [];
  if (apps.length === 0) return null;
  const hasCause = (app: (typeof apps)[number]): number => Number((app.groups[0]?.kind ?? "") !== "");
  const sorted = [...apps].sort((a, b) => hasCause(b) - hasCause(a));
  const note = apps.length > MOST_APPS ? t("verdict.firstApps", { count: MOST_APPS, all: apps.length }) : "";
  return (
    <Card title={t("verdict.open")} note={note}>
      {sorted.slice(0, MOST_APPS).map((verdicts) => (
        <VerdictSummary key={verdicts.app} verdicts={verdicts} hasApp />
      ))}
    </Card>
  );
}
