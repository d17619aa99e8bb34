import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { changedLink, navigate, pageRange } from "../../app/location.ts";
import type { AppLedgerAnswer, Completeness, HostLedgerAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { isMessageKey, type MessageKey, t } from "../../i18n/translate.ts";
import { completeShare } from "../../ui/completeness-chip.tsx";
import { count, duration, text } from "../../ui/number-text.ts";
import { Answered } from "../../ui/states.tsx";
import { Table } from "../../ui/table.tsx";
import { dateTimeText, rangeSpanText } from "../../ui/time-text.ts";
import "../../i18n/en/ledger.ts";

/** What is missing of an app's spans or of a host's seconds, where and why; `ledger` in the URL names which. */
export function LedgerDialog({ ledger }: { ledger: string }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const colon = ledger.indexOf(":");
  const name = ledger.slice(colon + 1);
  return (
    <dialog
      ref={dialog}
      class="help ledger"
      aria-label={t("ledger.title", { name })}
      onClose={() => navigate(changedLink({ ledger: null }))}
    >
      <h2>{t("ledger.title", { name })}</h2>
      <p class="note">{rangeSpanText(pageRange.value.fromMs, pageRange.value.toMs)}</p>
      {ledger.startsWith("host:") ? <HostLedger host={name} /> : <AppLedger app={name} />}
      <button type="button" class="button" onClick={() => dialog.current?.close()}>
        {t("ledger.close")}
      </button>
    </dialog>
  );
}

function AppLedger({ app }: { app: string }): JSX.Element {
  const answer = useAnswer<AppLedgerAnswer>(apiPaths.appLedger(app), pageRange.value);
  return (
    <Answered answer={answer}>
      {({ completeness, losses }) => (
        <>
          <Sum completeness={completeness} sentence="ledger.spans" />
          <Missing isKnown={completeness.ratio !== null} isEmpty={losses.length === 0}>
            <Table
              label={t("ledger.title", { name: app })}
              rows={losses}
              keyOf={({ host, reason }) => `${host} ${reason}`}
              columns={[
                { key: "reason", label: t("ledger.reason"), cell: (row) => <Reason reason={row.reason} /> },
                { key: "host", label: t("metric.host"), cell: (row) => row.host },
                {
                  key: "spans",
                  label: t("ledger.lost"),
                  isNumber: true,
                  cell: (row) => text(count(row.spans)),
                },
                {
                  key: "when",
                  label: t("ledger.when"),
                  cell: (row) => rangeSpanText(row.firstUnixMs, row.lastUnixMs),
                },
              ]}
            />
          </Missing>
        </>
      )}
    </Answered>
  );
}

function HostLedger({ host }: { host: string }): JSX.Element {
  const answer = useAnswer<HostLedgerAnswer>(apiPaths.hostLedger(host), pageRange.value);
  return (
    <Answered answer={answer}>
      {({ completeness, gaps }) => (
        <>
          <Sum completeness={completeness} sentence="ledger.seconds" />
          <Missing isKnown={completeness.ratio !== null} isEmpty={gaps.length === 0}>
            <p class="note">{t("ledger.gapHint")}</p>
            <Table
              label={t("ledger.title", { name: host })}
              rows={gaps}
              keyOf={({ fromUnixMs, toUnixMs }) => `${fromUnixMs} ${toUnixMs}`}
              columns={[
                { key: "from", label: t("time.from"), cell: (row) => dateTimeText(row.fromUnixMs) },
                { key: "to", label: t("time.to"), cell: (row) => dateTimeText(row.toUnixMs) },
                {
                  key: "missing",
                  label: t("ledger.missing"),
                  isNumber: true,
                  cell: (row) => text(duration(row.missingMs ?? row.toUnixMs - row.fromUnixMs)),
                },
              ]}
            />
          </Missing>
        </>
      )}
    </Answered>
  );
}

function Sum({ completeness, sentence }: { completeness: Completeness; sentence: MessageKey }): JSX.Element {
  const { created, stored, dropped, inFlight, ratio } = completeness;
  const lost = Object.values(dropped).reduce((sum, one) => sum + one, 0);
  const whole = new Intl.NumberFormat("en-US");
  const facts = {
    created: whole.format(created),
    stored: whole.format(stored),
    lost: whole.format(lost),
    inFlight: whole.format(inFlight),
  };
  if (ratio === null && created === 0) return <></>;
  return (
    <p>
      {ratio !== null && (
        <span class={ratio < 1 ? "chip chip-part" : "chip chip-whole"}>
          {t("chart.complete", { share: completeShare(ratio) })}
        </span>
      )}{" "}
      {t(sentence, facts)}
    </p>
  );
}

function Missing(props: { isKnown: boolean; isEmpty: boolean; children: ComponentChildren }): JSX.Element {
  if (!props.isEmpty) return <>{props.children}</>;
  return <p>{t(props.isKnown ? "ledger.nothing" : "ledger.unknown")}</p>;
}

/** Newer daemons may say what this page has no text for. */
function Reason({ reason }: { reason: string }): JSX.Element {
  const key = `ledger.reason.${reason}`;
  return (
    <span class="two-lines">
      <span>{isMessageKey(key) ? t(key) : reason}</span>
      <small>{reason}</small>
    </span>
  );
}
