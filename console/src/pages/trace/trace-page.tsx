import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { link, replaceParameters, search } from "../../app/location.ts";
import { PageFrame } from "../../app/page-frame.tsx";
import type { RankAnswer, TraceAnswer, TraceRow } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { count, duration, text } from "../../ui/number-text.ts";
import { Answered, Empty } from "../../ui/states.tsx";
import { dateTimeText, offsetText } from "../../ui/time-text.ts";
import { Outcome } from "../traces/traces-table.tsx";
import { AskButton, HostAnswers, type HostsQuestion, useHostsQuestion } from "./ask-hosts.tsx";
import { HostLane, HostMeanwhile, useHostLane } from "./host-lane.tsx";
import { Repeats } from "./repeats.tsx";
import { SpanPanel } from "./span-panel.tsx";
import { traceBounds } from "./span-rows.ts";
import { VerdictBanner } from "./verdict-banner.tsx";
import { Waterfall } from "./waterfall.tsx";
import "../../i18n/en/trace.ts";
import "../../i18n/en/traces.ts";

/** Requests of the action that a trace is compared with: those of half an hour before and after it. */
const RANK_AROUND_MS = 1_800_000;

/** "Where did the time go, and what was the host doing?" */
export function TracePage({ traceId }: { traceId: string }): JSX.Element {
  const answer = useAnswer<TraceAnswer>(apiPaths.trace(traceId), null);
  const question = useHostsQuestion(traceId);
  // What was fetched is what was kept and more.
  const shown = question.trace === null ? answer : { ...answer, data: question.trace, error: null };
  const root = shown.data?.roots[0] ?? null;
  const crumbs =
    root === null
      ? [{ label: t("nav.apps"), href: link({ page: "apps" }) }]
      : [
          { label: root.app, href: link({ page: "app", app: root.app }) },
          { label: t("traces.title"), href: link({ page: "traces", app: root.app }) },
        ];
  return (
    <PageFrame title={root?.action ?? t("trace.title")} crumbs={crumbs} app={root?.app} isTimeless>
      <Answered
        answer={shown}
        size="chart-tall"
        missing={<UnknownTrace traceId={traceId} question={question} />}
      >
        {(trace) => <Trace trace={trace} question={question} />}
      </Answered>
      {question.hosts !== null && <HostAnswers hosts={question.hosts} />}
    </PageFrame>
  );
}

function UnknownTrace({ traceId, question }: { traceId: string; question: HostsQuestion }): JSX.Element {
  const hint = question.hosts === null ? "state.unknownTraceHint" : "state.unknownTraceAsked";
  return (
    <Card>
      <Empty title={t("state.unknownTrace", { trace: traceId })} hint={t(hint)}>
        <AskButton question={question} />
      </Empty>
    </Card>
  );
}

function Trace({ trace, question }: { trace: TraceAnswer; question: HostsQuestion }): JSX.Element {
  const { startMs, endMs } = useMemo(() => traceBounds(trace.spans), [trace]);
  const selected = search.value.get("sel") ?? trace.roots[0]?.rootSpanId ?? null;
  const span = trace.spans.find((one) => one.spanId === selected) ?? null;
  const root = trace.roots[0] ?? null;
  // The lane is of the process that ran the chosen span.
  const ran = span ?? root;
  const subject = useMemo(
    () => ran && { host: ran.host, instance: ran.instance ?? "" },
    [ran?.host, ran?.instance],
  );
  const lane = useHostLane(subject, startMs, endMs);
  const lanes = subject && { subject, answer: lane, startMs, endMs };
  return (
    <>
      <Card>
        <Header trace={trace} root={root} />
        <VerdictBanner trace={trace} />
        <Repeats trace={trace} />
      </Card>
      <div class="trace-grid">
        <div class="trace-main">
          <Card
            title={t("trace.waterfall")}
            note={`${spansText(trace)} · ${t("trace.bold")}`}
            aside={question.hosts === null && <AskButton question={question} />}
          >
            <Waterfall
              trace={trace}
              startMs={startMs}
              endMs={endMs}
              selected={selected}
              onSelect={(spanId) => replaceParameters({ sel: spanId })}
            />
            {lanes && <HostLane {...lanes} />}
          </Card>
          {lanes && <HostMeanwhile {...lanes} />}
        </div>
        <Card title={t("trace.span")}>
          <SpanPanel span={span} spans={trace.spans} startMs={startMs} />
        </Card>
      </div>
    </>
  );
}

function spansText(trace: TraceAnswer): string {
  const count = trace.roots.reduce((sum, root) => sum + root.spans, 0);
  const shown = trace.spans.length;
  return count > shown ? t("trace.spansOnly", { count, shown }) : t("trace.spans", { count: shown });
}

function Header({ trace, root }: { trace: TraceAnswer; root: TraceRow | null }): JSX.Element {
  return (
    <div class="trace-head">
      <p class="kpi-value">
        <b>{text(duration(trace.durationMs))}</b> {root && <Outcome row={root} />}
      </p>
      <dl class="facts facts-row">
        <div>
          <dt>{t("metric.start")}</dt>
          <dd>
            {dateTimeText(trace.startUnixMs)} <span class="note">{offsetText(trace.startUnixMs)}</span>
          </dd>
        </div>
        {root && (
          <>
            <div>
              <dt>{t("metric.action")}</dt>
              <dd>
                <a href={link({ page: "action", app: root.app, action: root.action })}>{root.action}</a>
              </dd>
            </div>
            <div>
              <dt>{t("metric.host")}</dt>
              <dd>
                <a href={link({ page: "host", host: root.host })}>{root.host}</a>
              </dd>
            </div>
          </>
        )}
        {root && root.reason !== "unfinished" && <Rank root={root} />}
        <div>
          <dt>{t("trace.title")}</dt>
          <dd class="mono">{trace.traceId}</dd>
        </div>
      </dl>
    </div>
  );
}

/** How many requests of the action were faster. */
function Rank({ root }: { root: TraceRow }): JSX.Element | null {
  const range = useMemo(
    () => ({
      fromMs: Math.floor(root.startUnixMs - RANK_AROUND_MS),
      toMs: Math.ceil(root.startUnixMs + root.durationMs + RANK_AROUND_MS),
    }),
    [root.startUnixMs, root.durationMs],
  );
  const path = apiPaths.rank(root.app, root.action, root.durationMs);
  const { data } = useAnswer<RankAnswer>(path, range);
  if (data === null || data.fasterShare === null) return null;
  const values = { share: rankText(data.fasterShare), count: text(count(data.requests)) };
  return (
    <div>
      <dt>{t("trace.rank")}</dt>
      <dd>{t("trace.rankText", values)}</dd>
    </div>
  );
}

/** Rounded down: only what was slower than each of them is slower than 100 %. */
function rankText(share: number): string {
  return `${Math.floor(share * 10_000) / 100}\u00a0%`;
}
