import type { JSX } from "preact";
import type { ColorName } from "../../chart/colors.ts";
import { mean } from "../../chart/stack.ts";
import { type ChartSeries, TimeChart } from "../../chart/time-chart.tsx";
import type { Unit } from "../../chart/unit.ts";
import type { Columns } from "../../data/answers.ts";
import { arrivedIn, column } from "../../data/columns.ts";
import { type MessageKey, t } from "../../i18n/translate.ts";
import "../../i18n/en/host.ts";

interface Line {
  label: MessageKey;
  metric: string;
  color: ColorName;
}

/** One chart of the host page, told by its columns. */
export interface HostChartPlan {
  title: MessageKey;
  note?: MessageKey;
  unit: Unit;
  kind: "lines" | "stack";
  top?: number;
  leastTop?: number;
  lines: readonly Line[];
}

const line = (label: MessageKey, metric: string, color: ColorName): Line => ({ label, metric, color });

/** The host page's charts below CPU, in reading order. */
export const HOST_CHARTS: readonly HostChartPlan[] = [
  {
    title: "host.load",
    unit: "plain",
    kind: "lines",
    leastTop: 1,
    lines: [
      line("host.load1", "load1", "code"),
      line("host.load5", "load5", "external"),
      line("host.load15", "load15", "queue"),
      line("host.runnable", "procsRunnable", "database"),
      line("host.blocked", "procsBlocked", "cache"),
    ],
  },
  {
    title: "host.psi",
    note: "host.psiNote",
    unit: "ratio",
    kind: "lines",
    leastTop: 0.1,
    lines: [
      line("host.psiCpu", "psiCpuSomeRatio", "code"),
      line("host.psiMemory", "psiMemorySomeRatio", "cache"),
      line("host.psiIo", "psiIoSomeRatio", "database"),
      line("host.psiIoFull", "psiIoFullRatio", "status-5xx"),
    ],
  },
  {
    title: "host.swap",
    unit: "bytesPerSecond",
    kind: "lines",
    leastTop: 1000,
    lines: [
      line("host.read", "swapInBytesPerSecond", "code"),
      line("host.write", "swapOutBytesPerSecond", "database"),
    ],
  },
  {
    title: "host.diskThroughput",
    unit: "bytesPerSecond",
    kind: "lines",
    leastTop: 1000,
    lines: [
      line("host.read", "diskReadBytesPerSecond", "code"),
      line("host.write", "diskWriteBytesPerSecond", "database"),
    ],
  },
  {
    title: "host.diskBusy",
    note: "host.diskBusyNote",
    unit: "ratio",
    kind: "lines",
    top: 1,
    lines: [line("host.busy", "diskBusyRatio", "database")],
  },
  {
    title: "host.diskAwait",
    note: "host.diskAwaitNote",
    unit: "ms",
    kind: "lines",
    leastTop: 1,
    lines: [line("host.wait", "diskAwaitMs", "database")],
  },
  {
    title: "host.network",
    note: "host.networkNote",
    unit: "bytesPerSecond",
    kind: "lines",
    leastTop: 1000,
    lines: [
      line("host.receive", "netReceiveBytesPerSecond", "code"),
      line("host.transmit", "netTransmitBytesPerSecond", "database"),
    ],
  },
  {
    title: "host.packets",
    note: "host.networkNote",
    unit: "count",
    kind: "lines",
    leastTop: 1,
    lines: [
      line("host.receive", "netReceivePacketsPerSecond", "code"),
      line("host.transmit", "netTransmitPacketsPerSecond", "database"),
    ],
  },
  {
    title: "host.tcp",
    note: "host.tcpNote",
    unit: "plain",
    kind: "lines",
    leastTop: 1,
    lines: [
      line("host.retransmits", "tcpRetransmitsPerSecond", "code"),
      line("host.overflows", "tcpListenOverflowsPerSecond", "status-5xx"),
      line("host.netErrors", "netErrorsPerSecond", "database"),
      line("host.netDrops", "netDropsPerSecond", "cache"),
    ],
  },
  {
    title: "host.counts",
    unit: "count",
    kind: "lines",
    leastTop: 1,
    lines: [
      line("host.connections", "tcpEstablished", "code"),
      line("host.processCount", "processCount", "external"),
    ],
  },
  {
    title: "host.switches",
    note: "host.tcpNote",
    unit: "count",
    kind: "lines",
    leastTop: 1,
    lines: [
      line("host.contextSwitches", "contextSwitchesPerSecond", "code"),
      line("host.forks", "forksPerSecond", "database"),
    ],
  },
];

/** A chart of host columns; the legend's numbers are means of the seconds that arrived. */
export function HostChart(props: {
  host: string;
  columns: Columns;
  plan: HostChartPlan;
  note?: string;
}): JSX.Element {
  const { host, columns, plan } = props;
  const names = plan.lines.map((one) => one.metric);
  const series: ChartSeries[] = plan.lines.map(({ label, metric, color }) => {
    const values = column(columns, metric);
    return { key: metric, label: t(label), color, values, whole: mean(values) };
  });
  const note = props.note ?? (plan.note && t(plan.note));
  return (
    <TimeChart
      subject={host}
      id={plan.title.replace("host.", "")}
      title={t(plan.title)}
      {...(note !== undefined && { note })}
      columns={columns}
      series={series}
      kind={plan.kind}
      unit={plan.unit}
      {...(plan.top !== undefined && { top: plan.top })}
      {...(plan.leastTop !== undefined && { leastTop: plan.leastTop })}
      arrived={arrivedIn(columns, names)}
    />
  );
}
