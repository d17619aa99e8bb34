import type { JSX } from "preact";
import type { ColorName } from "../../chart/colors.ts";
import { mean } from "../../chart/stack.ts";
import { type ChartSeries, TimeChart } from "../../chart/time-chart.tsx";
import type { Column, Columns } from "../../data/answers.ts";
import { column } from "../../data/columns.ts";
import { type MessageKey, t } from "../../i18n/translate.ts";
import { bytes, text } from "../../ui/number-text.ts";
import "../../i18n/en/host.ts";

/** Columns that the memory chart needs. */
export const MEMORY_METRICS = [
  "memTotalBytes",
  "memAvailableBytes",
  "memUsedBytes",
  "memBuffersBytes",
  "memCachedBytes",
] as const;

/** Memory as used, cached and free, which add up to the total: free is what the other parts leave. */
export function MemoryChart({ host, columns }: { host: string; columns: Columns }): JSX.Element {
  const total = column(columns, "memTotalBytes");
  const used = column(columns, "memUsedBytes");
  const cached = reclaimable(columns);
  const free = total.map((value, i) =>
    value === null ? null : Math.max(0, value - (used[i] ?? 0) - (cached[i] ?? 0)),
  );
  const series: ChartSeries[] = [
    layer("used", "host.used", "code", used),
    layer("cached", "host.cached", "external", cached),
    layer("free", "host.free", "queue", free),
  ];
  const size = total.findLast((value) => value !== null) ?? null;
  return (
    <TimeChart
      subject={host}
      id="memory"
      title={t("host.memory")}
      note={t("host.memoryNote", { total: text(bytes(size)) })}
      columns={columns}
      series={series}
      kind="stack"
      unit="bytes"
      {...(size !== null && { top: size })}
      arrived={used.map((value) => value !== null)}
    />
  );
}

function layer(key: string, label: MessageKey, color: ColorName, values: Column): ChartSeries {
  return { key, label: t(label), color, values, whole: mean(values) };
}

/** Cache and buffers as far as they lie outside of "used", so that the layers never exceed the total. */
function reclaimable(columns: Columns): Column {
  const available = column(columns, "memAvailableBytes");
  const cached = column(columns, "memCachedBytes");
  const buffers = column(columns, "memBuffersBytes");
  return available.map((value, i) => {
    if (value === null) return null;
    return Math.min(value, (cached[i] ?? 0) + (buffers[i] ?? 0));
  });
}
