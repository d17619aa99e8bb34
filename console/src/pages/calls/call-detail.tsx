import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { comparedRange } from "../../app/comparison.ts";
import { pageRange } from "../../app/location.ts";
import { Sparkline } from "../../chart/sparkline.tsx";
import type { CallGroup, CallSamplesAnswer, CallSeriesAnswer, Columns } from "../../data/answers.ts";
import { apiPaths, type CallKeys } from "../../data/paths.ts";
import { type Answer, useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { Kpi } from "../../ui/kpi.tsx";
import { count, duration, percent, text } from "../../ui/number-text.ts";
import { Answered, Empty } from "../../ui/states.tsx";
import { CallCountChart, CallErrorChart, LatencyChart } from "./call-charts.tsx";
import { CallersTable } from "./callers-table.tsx";
import { SamplesTable } from "./samples-table.tsx";
import { selectionLink } from "./selection.ts";
import "../../i18n/en/calls.ts";

/** All that is known of one statement, store or service: how fast, how often, from where, with traces that show it. */
export function CallDetail(props: {
  app: string;
  keys: CallKeys;
  name: string;
  by: "store" | "operation";
  /** Between the numbers and the charts, for what only some have. */
  children?: (group: CallGroup) => ComponentChildren;
  /** Below the tables. */
  after?: ComponentChildren;
}): JSX.Element {
  const { app, keys, name, by } = props;
  const before = comparedRange.value;
  const path = apiPaths.callSeries(app, keys, by, 5);
  const series = useAnswer<CallSeriesAnswer>(path, pageRange.value);
  const compared = useAnswer<CallSeriesAnswer>(before === null ? null : path, before);
  const samples = useAnswer<CallSamplesAnswer>(apiPaths.callSamples(app, keys), pageRange.value);
  useTopOfPage();
  return (
    <>
      <p>
        <a href={selectionLink(null)}>← {t("calls.back")}</a>
      </p>
      <Answered answer={series} size="kpi">
        {(data) => <Content {...props} series={data} compared={compared.data} />}
      </Answered>
      <SamplesCard app={app} name={name} samples={samples} />
      {props.after}
    </>
  );
}

/** An effect apart from `CallDetail`: what lies in its scope would be kept with it, see README.md on memory. */
function useTopOfPage(): void {
  useEffect(() => window.scrollTo(0, 0), []);
}

function Content(props: {
  app: string;
  name: string;
  series: CallSeriesAnswer;
  compared: CallSeriesAnswer | null;
  children?: (group: CallGroup) => ComponentChildren;
}): JSX.Element {
  const { app, name, series, compared } = props;
  const [group] = series.groups;
  if (group === undefined)
    return (
      <Card>
        <Empty title={t("calls.noneSelected", { name })} hint={t("calls.noneSelectedHint")}>
          <a class="button" href={selectionLink(null)}>
            {t("calls.back")}
          </a>
        </Empty>
      </Card>
    );
  const charts = { subject: `${app} ${name}`, series, compared };
  return (
    <>
      <CallKpis series={series} />
      {props.children?.(group)}
      <div class="grid">
        <Card class="span-4">
          <LatencyChart {...charts} />
        </Card>
        <Card class="span-4">
          <CallCountChart {...charts} />
        </Card>
        <Card class="span-4">
          <CallErrorChart {...charts} />
        </Card>
      </div>
      <Card title={t("calls.callers")} note={t("calls.callersNote")}>
        <CallersTable app={app} actions={group.actions} totalTimeMs={group.totalTimeMs} />
      </Card>
    </>
  );
}

function CallKpis({ series }: { series: CallSeriesAnswer }): JSX.Element {
  const { all, from, to, t0, stepMs } = series;
  const columns: Columns = { from, to, t0, stepMs, cols: all.cols };
  const rate = percent(all.calls === 0 ? null : all.errors / all.calls);
  return (
    <div class="kpis kpis-four card">
      <Kpi
        label={t("calls.perCall")}
        note={t("metric.avg")}
        quantity={duration(all.durationMs?.avg)}
        detail={`p95 ${text(duration(all.durationMs?.p95))} · p99 ${text(duration(all.durationMs?.p99))}`}
      >
        <Sparkline values={all.cols.avgMs} buckets={columns} />
      </Kpi>
      <Kpi
        label={t("metric.max")}
        quantity={duration(all.durationMs?.max)}
        detail={t("calls.totalTime", { time: text(duration(all.totalTimeMs)) })}
      >
        <Sparkline values={all.cols.p95Ms} buckets={columns} />
      </Kpi>
      <Kpi
        label={t("calls.throughput")}
        quantity={count(all.callsPerMinute)}
        unit={t("calls.perMinute")}
        detail={t("calls.count", { count: text(count(all.calls)) })}
      >
        <Sparkline values={all.cols.calls} buckets={columns} />
      </Kpi>
      <Kpi
        label={t("metric.errorRate")}
        quantity={rate}
        detail={t("metric.errorCount", { count: text(count(all.errors)) })}
      >
        <Sparkline values={all.cols.errors} buckets={columns} color="status-5xx" />
      </Kpi>
    </div>
  );
}

function SamplesCard(props: { app: string; name: string; samples: Answer<CallSamplesAnswer> }): JSX.Element {
  return (
    <Card title={t("calls.samples")} note={t("calls.samplesNote")}>
      <Answered answer={props.samples}>
        {({ samples, traces }) =>
          samples.length === 0 ? (
            <Empty title={t("calls.noSamples")} hint={t("calls.noSamplesHint", { count: traces })} />
          ) : (
            <SamplesTable samples={samples} />
          )
        }
      </Answered>
    </Card>
  );
}
