import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { CallGroup, StatementTextAnswer } from "../../data/answers.ts";
import { type ApiError, postJson } from "../../data/get-json.ts";
import { apiPaths } from "../../data/paths.ts";
import { t } from "../../i18n/translate.ts";
import { agoText } from "../../ui/ago-text.ts";
import { Card } from "../../ui/card.tsx";
import { errorText } from "../../ui/states.tsx";
import { storeName } from "../calls/call-name.ts";
import "../../i18n/en/calls.ts";

/** The statement as it was sent; where its host keeps it to itself, a button that asks for it. */
export function StatementText({ group }: { group: CallGroup }): JSX.Element {
  return (
    <Card title={group.operation} note={storeName(group)}>
      {group.statementText !== null && <pre class="command statement-text">{group.statementText}</pre>}
      {group.statementText === null && group.statement !== "" && <HiddenText statement={group.statement} />}
      {group.statement === "" && <p class="note">{t("calls.noStatement")}</p>}
    </Card>
  );
}

interface Known {
  isBusy: boolean;
  answer: StatementTextAnswer | null;
  error: ApiError | null;
}

function HiddenText({ statement }: { statement: string }): JSX.Element {
  const [attempt, setAttempt] = useState(0);
  const [known, setKnown] = useState<Known>({ isBusy: false, answer: null, error: null });
  useEffect(() => {
    if (attempt === 0) return undefined;
    const abort = new AbortController();
    setKnown((before) => ({ ...before, isBusy: true, error: null }));
    postJson<StatementTextAnswer>(apiPaths.statementText(statement), abort.signal).then(
      (answer) => {
        if (!abort.signal.aborted) setKnown({ isBusy: false, answer, error: null });
      },
      (error: ApiError) => {
        if (!abort.signal.aborted) setKnown((before) => ({ ...before, isBusy: false, error }));
      },
    );
    return () => abort.abort();
  }, [statement, attempt]);
  const { isBusy, answer, error } = known;
  if (answer !== null && answer.text !== null)
    return (
      <>
        <pre class="command statement-text">{answer.text}</pre>
        <p class="note">{t("calls.textShown")}</p>
      </>
    );
  return (
    <div class="hidden-text">
      <p class="note">{t("calls.textHidden", { statement })}</p>
      <button type="button" class="button" disabled={isBusy} onClick={() => setAttempt((count) => count + 1)}>
        {isBusy ? t("calls.textAsking") : t("calls.textAsk")}
      </button>
      {answer !== null && <Unknown answer={answer} />}
      {error !== null && (
        <p class="bad" role="alert">
          {errorText(error)}
        </p>
      )}
    </div>
  );
}

/** Which hosts could not say it, and why. */
function Unknown({ answer }: { answer: StatementTextAnswer }): JSX.Element {
  return (
    <div role="status">
      <p>{t("calls.textUnknown")}</p>
      <ul>
        {answer.hosts.map(({ host, state, lastSeenUnixMs }) => (
          <li key={host}>
            <b>{host}</b>{" "}
            <span class="note">{t(`calls.textHost.${state}`, { ago: agoText(lastSeenUnixMs) })}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
