import type { JSX } from "preact";
import { mean } from "../../chart/stack.ts";
import { type ChartSeries, TimeChart } from "../../chart/time-chart.tsx";
import type { Columns } from "../../data/answers.ts";
import { arrivedIn, column, sumColumns } from "../../data/columns.ts";
import { t } from "../../i18n/translate.ts";
import "../../i18n/en/host.ts";

/** Columns of host series that the CPU chart needs. */
export const CPU_METRICS = [
  "cpuUserRatio",
  "cpuSystemRatio",
  "cpuNiceRatio",
  "cpuIowaitRatio",
  "cpuIrqRatio",
  "cpuSoftirqRatio",
  "cpuStealRatio",
  "cpuIdleRatio",
] as const;

/** CPU time by mode; steal stands first because it is the one that no code explains. */
export function CpuChart(props: {
  host: string;
  columns: Columns;
  note: string;
  title: string;
  height?: "tall" | "low";
}): JSX.Element {
  const { columns } = props;
  const modes = [
    { key: "steal", color: "database", layer: 4, metrics: ["cpuStealRatio"] },
    { key: "iowait", color: "cache", layer: 3, metrics: ["cpuIowaitRatio"] },
    { key: "irq", color: "queue", layer: 2, metrics: ["cpuIrqRatio", "cpuSoftirqRatio"] },
    { key: "system", color: "external", layer: 1, metrics: ["cpuSystemRatio"] },
    { key: "user", color: "code", layer: 0, metrics: ["cpuUserRatio", "cpuNiceRatio"] },
  ] as const;
  const series: ChartSeries[] = modes.map(({ key, color, layer, metrics }) => {
    const values = sumColumns(metrics.map((name) => column(columns, name)));
    return { key, label: t(`host.${key}`), color, layer, values, whole: mean(values) };
  });
  return (
    <TimeChart
      {...props}
      id="cpu"
      subject={props.host}
      series={series}
      kind="stack"
      unit="ratio"
      top={1}
      arrived={arrivedIn(columns, CPU_METRICS)}
    />
  );
}

/** 1 - idle, bucket by bucket. */
export function busyColumn(columns: Columns): (number | null)[] {
  return column(columns, "cpuIdleRatio").map((idle) => (idle === null ? null : Math.max(0, 1 - idle)));
}
