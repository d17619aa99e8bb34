import type { JSX } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import type { AskedHost, FetchedTrace } from "../../data/answers.ts";
import { type ApiError, postJson } from "../../data/get-json.ts";
import { apiPaths } from "../../data/paths.ts";
import { t } from "../../i18n/translate.ts";
import { agoText } from "../../ui/ago-text.ts";
import { Card } from "../../ui/card.tsx";
import { errorText } from "../../ui/states.tsx";
import { Table } from "../../ui/table.tsx";
import "../../i18n/en/trace.ts";

/** A question to all hosts for one trace, and what came of it. */
export interface HostsQuestion {
  ask: () => void;
  isBusy: boolean;
  /** Null until the hosts were asked, and when none of them has any of it. */
  trace: FetchedTrace | null;
  /** Null until the hosts were asked. */
  hosts: AskedHost[] | null;
  error: ApiError | null;
}

type Known = Omit<HostsQuestion, "ask">;
const NOT_ASKED: Known = { isBusy: false, trace: null, hosts: null, error: null };

/** Hosts still have every request of the last minutes in their journals, kept or not. */
export function useHostsQuestion(traceId: string): HostsQuestion {
  const [attempt, setAttempt] = useState(0);
  const [known, setKnown] = useState<Known>(NOT_ASKED);
  useEffect(() => {
    if (attempt === 0) return undefined;
    const abort = new AbortController();
    setKnown((before) => ({ ...before, isBusy: true, error: null }));
    postJson<FetchedTrace>(apiPaths.fetchTrace(traceId), abort.signal).then(
      (trace) => {
        if (!abort.signal.aborted) setKnown({ ...NOT_ASKED, trace, hosts: trace.hosts });
      },
      (error: ApiError) => {
        if (abort.signal.aborted) return;
        const hosts = error.status === 404 ? (error.body as Partial<FetchedTrace> | null)?.hosts : undefined;
        if (hosts) setKnown({ ...NOT_ASKED, hosts });
        else setKnown((before) => ({ ...before, isBusy: false, error }));
      },
    );
    return () => abort.abort();
  }, [traceId, attempt]);
  const ask = useCallback(() => setAttempt((count) => count + 1), []);
  return { ask, ...known };
}

export function AskButton({ question }: { question: HostsQuestion }): JSX.Element {
  return (
    <>
      <button type="button" class="button" disabled={question.isBusy} onClick={question.ask}>
        {question.isBusy ? t("trace.asking") : t("trace.askHosts")}
      </button>
      {question.error !== null && (
        <p class="bad" role="alert">
          {errorText(question.error)}
        </p>
      )}
    </>
  );
}

/** What each host answered, those that may have more first. */
export function HostAnswers({ hosts }: { hosts: readonly AskedHost[] }): JSX.Element {
  const isSure = ({ state, gap }: AskedHost): boolean =>
    gap === "" && (state === "found" || state === "nothing");
  const rows = [...hosts].sort((a, b) => Number(isSure(a)) - Number(isSure(b)));
  const unsure = hosts.filter((host) => !isSure(host)).length;
  return (
    <Card
      title={t("trace.hostAnswers")}
      note={unsure === 0 ? t("trace.allAnswered") : t("trace.someUnsure", { count: unsure })}
    >
      <Table
        label={t("trace.hostAnswers")}
        rows={rows}
        keyOf={(row) => row.host}
        columns={[
          { key: "host", label: t("metric.host"), cell: (row) => row.host },
          { key: "answer", label: t("trace.answer"), cell: answerText },
        ]}
      />
    </Card>
  );
}

function answerText({ state, spans, oldestUnixMs, lastSeenUnixMs, gap }: AskedHost): string {
  const ago = agoText(oldestUnixMs);
  if (state === "found") return t(gap === "" ? "trace.host.found" : "trace.host.foundSome", { count: spans });
  if (state === "nothing" && gap !== "") return t("trace.host.unsearched");
  if (state === "nothing")
    return oldestUnixMs === null ? t("trace.host.empty") : t("trace.host.nothing", { ago });
  if (state === "past_ring") return t("trace.host.past", { ago });
  if (state === "offline") return t("trace.host.offline", { ago: agoText(lastSeenUnixMs) });
  if (state === "silent") return t("trace.host.silent");
  return state === "busy" ? t("trace.host.busy") : state;
}
