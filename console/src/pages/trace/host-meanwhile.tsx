import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { ChartCard } from "../../chart/chart-card.tsx";
import type { Columns } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { CPU_METRICS, CpuChart } from "../host/cpu-chart.tsx";
import "../../i18n/en/trace.ts";

const AROUND_MS = 30_000;

/** The host's CPU second by second around the trace: a slow request is not always slow code. */
export function HostMeanwhile({
  host,
  startMs,
  endMs,
}: {
  host: string;
  startMs: number;
  endMs: number;
}): JSX.Element {
  const fromMs = Math.floor(startMs - AROUND_MS);
  const toMs = Math.ceil(endMs + AROUND_MS);
  const range = useMemo(() => ({ fromMs, toMs }), [fromMs, toMs]);
  const answer = useAnswer<Columns>(apiPaths.hostSeries(host, CPU_METRICS), range);
  return (
    <ChartCard class="" answer={answer}>
      {(columns) => (
        <CpuChart
          host={host}
          columns={columns}
          title={t("trace.hostCpu")}
          note={t("trace.hostNote", { host })}
        />
      )}
    </ChartCard>
  );
}
