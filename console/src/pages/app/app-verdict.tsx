import type { JSX } from "preact";
import { pageRange } from "../../app/location.ts";
import type { AppVerdicts } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { VerdictSummary } from "../../ui/verdict-summary.tsx";

/** Why requests of the app were slow; nothing when none was, or nobody knows. */
export function AppVerdict({ app }: { app: string }): JSX.Element | null {
  const { data } = useAnswer<AppVerdicts>(apiPaths.appVerdicts(app), pageRange.value);
  return data && <VerdictSummary verdicts={data} hasApp={false} />;
}
