import type { JSX } from "preact";
import { link } from "../app/location.ts";
import type { AppVerdicts, VerdictCause, VerdictGroup } from "../data/answers.ts";
import { t } from "../i18n/translate.ts";
import { duration, text } from "./number-text.ts";
import { dateTimeText } from "./time-text.ts";
import { causeName, confidenceText, evidenceParts, nothingText, shareText } from "./verdict-text.ts";
import "../i18n/en/verdict.ts";

const MOST_OTHERS = 3;

/** What most slow kept traces of an app have in common: the cause, how many, the evidence, and an example. */
export function VerdictSummary({
  verdicts,
  hasApp,
}: {
  verdicts: AppVerdicts;
  hasApp: boolean;
}): JSX.Element | null {
  const [most, ...others] = verdicts.groups;
  if (most === undefined) return null;
  const { traceId, action, durationMs, startUnixMs, verdict } = most.example;
  const [cause] = verdict.causes;
  return (
    <section
      class={`verdict verdict-summary ${cause ? "" : "verdict-calm"}`}
      aria-label={hasApp ? `${t("verdict.title")} (${verdicts.app})` : t("verdict.title")}
    >
      <p>
        {hasApp && (
          <>
            <a class="strong" href={link({ page: "app", app: verdicts.app })}>
              {verdicts.app}
            </a>
            {": "}
          </>
        )}
        <b>
          {t("verdict.most", {
            cause: groupName(most),
            traces: most.traces,
            slow: verdicts.slow,
            threshold: text(duration(verdicts.thresholdMs)),
          })}
        </b>
      </p>
      {cause && (
        <p class="evidence">
          {(isWait(cause) ? [shareText(cause, durationMs)] : evidenceParts(cause)).map((part) => (
            <span key={part} class="chip">
              {part}
            </span>
          ))}
        </p>
      )}
      <p class="note">
        {confidenceText(verdict)} ·{" "}
        <a href={link({ page: "trace", traceId })} title={dateTimeText(startUnixMs)}>
          {t("verdict.example", { action, time: text(duration(durationMs)) })}
        </a>
        {others.length > 0 && ` · ${t("verdict.others")}: ${othersText(others)}`}
      </p>
    </section>
  );
}

/** Of a wait nothing was measured beside its own length. */
function isWait({ metric }: VerdictCause): boolean {
  return metric === "durationMs";
}

function othersText(others: readonly VerdictGroup[]): string {
  const shown = others.slice(0, MOST_OTHERS).map(otherText).join(", ");
  return others.length > MOST_OTHERS ? `${shown}, …` : shown;
}

function groupName({ kind, target, example }: VerdictGroup): string {
  return kind === "" ? nothingText(example.verdict) : causeName({ kind, target });
}

function otherText(group: VerdictGroup): string {
  return t("verdict.other", { cause: groupName(group), traces: group.traces });
}
