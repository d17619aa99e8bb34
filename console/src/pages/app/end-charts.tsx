import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { type ChartSeries, TimeChart } from "../../chart/time-chart.tsx";
import type { AppEnd, Columns } from "../../data/answers.ts";
import { column } from "../../data/columns.ts";
import { t } from "../../i18n/translate.ts";
import { endColumns } from "./end-columns.ts";
import "../../i18n/en/ends.ts";

/** The last minute of the process, second by second. */
export function EndCharts({ app, event }: { app: string; event: AppEnd }): JSX.Element | null {
  const columns = useMemo(() => endColumns(event), [event]);
  if (columns === null) return null;
  const memory = [
    line(columns, "rssBytes", "RSS", "code"),
    line(columns, "heapUsedBytes", t("ends.heap"), "external"),
  ];
  const cpu = [line(columns, "cpuRatio", t("metric.cpu"), "database")];
  const delay = [line(columns, "eventLoopDelayP99Ms", "p99", "cache")];
  const shared = { subject: app, columns, kind: "lines" } as const;
  return (
    <div class="end-charts">
      <TimeChart
        {...shared}
        title={t("metric.memory")}
        series={memory}
        unit="bytes"
        arrived={arrived(memory)}
      />
      <TimeChart
        {...shared}
        title={t("metric.cpu")}
        series={cpu}
        unit="ratio"
        leastTop={0.1}
        arrived={arrived(cpu)}
      />
      <TimeChart
        {...shared}
        title={t("ends.delay")}
        series={delay}
        unit="ms"
        leastTop={10}
        arrived={arrived(delay)}
      />
    </div>
  );
}

function line(columns: Columns, name: string, label: string, color: ChartSeries["color"]): ChartSeries {
  const values = column(columns, name);
  return { key: name, label, color, values, whole: values.findLast((value) => value !== null) ?? null };
}

function arrived(series: readonly ChartSeries[]): boolean[] {
  const [first] = series;
  return (first?.values ?? []).map((_, i) => series.some(({ values }) => (values[i] ?? null) !== null));
}
