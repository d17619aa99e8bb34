import type { JSX } from "preact";
import { comparison } from "../../app/comparison.ts";
import { Sparkline } from "../../chart/sparkline.tsx";
import { mean } from "../../chart/stack.ts";
import type { Columns, HostRow, Statistics } from "../../data/answers.ts";
import { column } from "../../data/columns.ts";
import { t } from "../../i18n/translate.ts";
import { ApdexChip, FewSamples, thresholdText } from "../../ui/apdex-chip.tsx";
import { STABLE_APDEX_REQUESTS } from "../../ui/apdex-grade.ts";
import { Change } from "../../ui/change.tsx";
import { Kpi } from "../../ui/kpi.tsx";
import { bytes, count, duration, percent, score, text, UNKNOWN } from "../../ui/number-text.ts";
import { busyColumn } from "../host/cpu-chart.tsx";

/** The app's five numbers: response time, throughput, Apdex, error rate, its busiest host. */
export function AppKpis(props: {
  summary: Statistics;
  before: Statistics | null;
  columns: Columns | null;
  host: HostRow | null;
  hostColumns: Columns | null;
}): JSX.Element {
  return (
    <div class="kpis card">
      <ResponseTimeKpi {...props} />
      <ThroughputKpi {...props} />
      <ApdexKpi {...props} />
      <ErrorKpi {...props} />
      <HostKpi host={props.host} columns={props.hostColumns} />
    </div>
  );
}

interface KpiProps {
  summary: Statistics;
  before: Statistics | null;
  columns: Columns | null;
}

/** The three first numbers of an action's page. */
export function RequestKpis(props: KpiProps): JSX.Element {
  return (
    <div class="kpis kpis-four card">
      <ResponseTimeKpi {...props} />
      <ThroughputKpi {...props} />
      <ApdexKpi {...props} />
      <ErrorKpi {...props} />
    </div>
  );
}

function ResponseTimeKpi({ summary, before, columns }: KpiProps): JSX.Element {
  const times = summary.responseTimeMs;
  return (
    <Kpi
      label={t("metric.responseTime")}
      note={t("metric.avg")}
      quantity={duration(times?.avg)}
      detail={
        <>
          <RelativeChange now={times?.avg} before={before?.responseTimeMs?.avg} isMoreBad />
          p95 {text(duration(times?.p95))}
        </>
      }
    >
      {columns && <Sparkline values={column(columns, "avgMs")} buckets={columns} />}
    </Kpi>
  );
}

function ThroughputKpi({ summary, before, columns }: KpiProps): JSX.Element {
  return (
    <Kpi
      label={t("metric.throughput")}
      quantity={count(summary.throughputRpm)}
      unit={summary.throughputRpm === null ? "" : t("metric.rpm")}
      detail={
        <>
          <RelativeChange now={summary.throughputRpm} before={before?.throughputRpm} />
          {t("metric.requestCount", { count: text(count(summary.requests)) })}
        </>
      }
    >
      {columns && <Sparkline values={column(columns, "throughputRpm")} buckets={columns} />}
    </Kpi>
  );
}

function ApdexKpi({ summary, before, columns }: KpiProps): JSX.Element {
  const groups = {
    satisfied: text(count(summary.satisfied)),
    tolerating: text(count(summary.tolerating)),
    frustrated: text(count(summary.frustrated)),
  };
  const frustrated = text(percent(summary.frustrated / summary.requests));
  return (
    <Kpi
      label={t("metric.apdex")}
      note={thresholdText(summary.apdexTMs)}
      quantity={score(summary.apdex)}
      beside={<ApdexChip score={summary.apdex} />}
      detail={
        <span title={t("metric.groups", groups)}>
          <PointChange
            now={summary.apdex}
            before={before?.apdex}
            format={(value) => text(score(value))}
            isMoreGood
          />
          <FewSamples requests={summary.requests} />
          {summary.requests >= STABLE_APDEX_REQUESTS && t("metric.frustrated", { share: frustrated })}
        </span>
      }
    >
      {columns && <Sparkline values={column(columns, "apdex")} buckets={columns} />}
    </Kpi>
  );
}

function ErrorKpi({ summary, before, columns }: KpiProps): JSX.Element {
  const rate = percent(summary.errorRate);
  return (
    <Kpi
      label={t("metric.errorRate")}
      quantity={rate}
      unit={rate.value === UNKNOWN ? "" : "%"}
      detail={
        <>
          <PointChange
            now={summary.errorRate}
            before={before?.errorRate}
            format={(value) => `${(value * 100).toFixed(2)} pp`}
          />
          {t("metric.errorCount", { count: text(count(summary.errors)) })}
        </>
      }
    >
      {columns && <Sparkline values={column(columns, "errorRate")} buckets={columns} color="status-5xx" />}
    </Kpi>
  );
}

function HostKpi({ host, columns }: { host: HostRow | null; columns: Columns | null }): JSX.Element {
  const busy = columns ? busyColumn(columns) : [];
  const cpu = percent(mean(busy));
  const used = host?.memUsedRatio ?? null;
  const memory = {
    ratio: text(percent(used)),
    total: text(bytes(host?.memTotalBytes)),
  };
  return (
    <Kpi
      label={t("metric.hosts")}
      {...(host && { note: t("metric.worst", { host: host.host }) })}
      quantity={cpu}
      unit={cpu.value === UNKNOWN ? "" : "% CPU"}
      detail={host ? t("metric.memoryOf", memory) : t("state.noData")}
    >
      {columns && <Sparkline values={busy} buckets={columns} color="database" />}
    </Kpi>
  );
}

function againstText(): string {
  return comparison.value === "none" ? "" : t(`cmp.vs${comparison.value}`);
}

type Known = number | null | undefined;

/** Change in per cent; below 1 % it counts as none. */
function RelativeChange(props: { now: Known; before: Known; isMoreBad?: boolean }): JSX.Element | null {
  const { now, before, isMoreBad = false } = props;
  if (typeof now !== "number" || typeof before !== "number" || before === 0) return null;
  const change = now / before - 1;
  const direction = Math.abs(change) < 0.01 ? 0 : change > 0 ? 1 : -1;
  const size = `${(Math.abs(change) * 100).toFixed(0)} % ${againstText()} · `;
  return <Change text={size} direction={direction} isBad={isMoreBad && change > 0.05} />;
}

/** Change in points of the number itself. */
function PointChange(props: {
  now: Known;
  before: Known;
  format: (size: number) => string;
  isMoreGood?: boolean;
}): JSX.Element | null {
  const { now, before, format, isMoreGood = false } = props;
  if (typeof now !== "number" || typeof before !== "number") return null;
  const change = now - before;
  const direction = Math.abs(change) < 0.00005 ? 0 : change > 0 ? 1 : -1;
  const isBad = direction !== 0 && change > 0 !== isMoreGood;
  return (
    <Change text={`${format(Math.abs(change))} ${againstText()} · `} direction={direction} isBad={isBad} />
  );
}
