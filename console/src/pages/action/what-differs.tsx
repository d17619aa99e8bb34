import type { JSX } from "preact";
import { pageRange, replaceParameters } from "../../app/location.ts";
import type { Difference, SelectionAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { isMessageKey, t } from "../../i18n/translate.ts";
import { count, duration, percent, text } from "../../ui/number-text.ts";
import { Answered, Empty } from "../../ui/states.tsx";
import { Table } from "../../ui/table.tsx";
import { rangeSpanText } from "../../ui/time-text.ts";
import { causeName } from "../../ui/verdict-text.ts";
import { TracesTable } from "../traces/traces-table.tsx";
import { durationsText } from "./durations-text.ts";
import type { Selected } from "./selection-text.ts";
import "../../i18n/en/latency.ts";

/** What the selected requests have more often than the rest, and the slowest of them. */
export function WhatDiffers(props: { app: string; action: string; selected: Selected }): JSX.Element {
  const { app, action, selected } = props;
  const path = apiPaths.selection(app, action, {
    selectedFrom: selected.fromMs,
    selectedTo: selected.toMs,
    minMs: String(selected.minMs),
    maxMs: selected.maxMs === null ? null : String(selected.maxMs),
  });
  const answer = useAnswer<SelectionAnswer>(path, pageRange.value);
  return (
    <section class="selection" aria-label={t("latency.selection")}>
      <Answered answer={answer}>
        {(data) => (
          <>
            <p class="selection-head" role="status">
              <b>{t("latency.selected", { count: text(count(data.selected.requests)) })}</b>{" "}
              {t("latency.selectedOf", {
                total: text(count(data.selected.requests + data.rest.requests)),
                time: rangeSpanText(data.selected.from, data.selected.to),
                duration: durationsText(data.selected.minMs, data.selected.maxMs),
              })}
              <button type="button" class="quiet" onClick={() => replaceParameters({ sel: null })}>
                {t("latency.clear")}
              </button>
            </p>
            <Differences answer={data} />
            <h3>{t("latency.slowest")}</h3>
            {data.traces.length === 0 ? (
              <Empty title={t("latency.noneKept")} hint={t("state.noTracesHint")} />
            ) : (
              <TracesTable traces={data.traces} />
            )}
          </>
        )}
      </Answered>
    </section>
  );
}

function Differences({ answer }: { answer: SelectionAnswer }): JSX.Element {
  const { selected, rest, differences } = answer;
  const sampled = { selected: selected.sampled, rest: rest.sampled };
  return (
    <>
      <h3>{t("latency.differs")}</h3>
      {differences.length === 0 ? (
        <p class="note">{t("latency.nothing", sampled)}</p>
      ) : (
        <>
          <Table
            label={t("latency.differs")}
            rows={differences}
            keyOf={(row) => `${row.attribute} ${row.value}`}
            columns={[
              {
                key: "what",
                label: t("latency.what"),
                cell: (row) => (
                  <span class="two-lines">
                    <b class="differs-value">{valueText(row)}</b>
                    <small>{attributeText(row)}</small>
                  </span>
                ),
              },
              {
                key: "selected",
                label: t("latency.inSelection"),
                cell: (row) => <Share share={row.selectedShare} part={row.selected} of={row.selectedOf} />,
              },
              {
                key: "rest",
                label: t("latency.inRest"),
                cell: (row) => <Share share={row.restShare} part={row.rest} of={row.restOf} />,
              },
              {
                key: "basis",
                label: t("latency.basis"),
                cell: (row) => t(row.basis === "requests" ? "latency.allRequests" : "latency.keptTraces"),
              },
            ]}
          />
          <p class="note">{t("latency.sampled", sampled)}</p>
        </>
      )}
    </>
  );
}

function Share({ share, part, of }: { share: number; part: number; of: number }): JSX.Element {
  return (
    <span class="differs-share">
      <span class="meter-track" aria-hidden="true">
        <i style={{ width: `${share * 100}%` }} />
      </span>
      <span>
        {text(percent(share))}{" "}
        <small>{t("latency.partOf", { part: text(count(part)), of: text(count(of)) })}</small>
      </span>
    </span>
  );
}

function attributeText({ attribute }: Difference): string {
  const key = `latency.by.${attribute}`;
  return isMessageKey(key) ? t(key) : attribute;
}

/** Bands say from which value on. */
function valueText({ attribute, value }: Difference): string {
  if (attribute === "cause") return causeName({ kind: value });
  if (attribute === "status") return value === "0" ? t("latency.noStatus") : value;
  if (attribute.endsWith("Ratio")) return t("latency.atLeast", { least: text(percent(Number(value))) });
  if (attribute.endsWith("Ms")) return t("latency.atLeast", { least: text(duration(Number(value))) });
  return value;
}
