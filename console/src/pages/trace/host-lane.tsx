import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { link } from "../../app/location.ts";
import type { HostLaneAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { type Answer, useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { Answered, Empty } from "../../ui/states.tsx";
import { CPU_MODES } from "./lane-rows.ts";
import { Lanes } from "./lanes.tsx";
import "../../i18n/en/host.ts";
import "../../i18n/en/trace.ts";

const AROUND_MS = 30_000;

/** Whose lane it is: the process that ran the chosen span. */
export interface LaneSubject {
  host: string;
  instance: string;
}

/** The seconds of the host and process around a request: half a minute before it and after it. */
export function useHostLane(
  subject: LaneSubject | null,
  startMs: number,
  endMs: number,
): Answer<HostLaneAnswer> {
  const range = useMemo(
    () => ({ fromMs: Math.floor(startMs - AROUND_MS), toMs: Math.ceil(endMs + AROUND_MS) }),
    [startMs, endMs],
  );
  return useAnswer(subject && apiPaths.hostLane(subject.host, subject.instance), range);
}

interface HostLaneProps {
  subject: LaneSubject;
  answer: Answer<HostLaneAnswer>;
  startMs: number;
  endMs: number;
}

/** Below the waterfall and on its axis. Spans and seconds of one host have one clock. */
export function HostLane({ subject, answer, startMs, endMs }: HostLaneProps): JSX.Element {
  const bounds = { fromMs: startMs, toMs: Math.max(endMs, startMs + 1) };
  return (
    <section class="host-lane" aria-label={t("trace.lane")}>
      <p class="lane-head">
        <b>{t("trace.lane")}</b>{" "}
        <span class="note">
          <a href={link({ page: "host", host: subject.host })}>{subject.host}</a> · {t("trace.laneNote")}
        </span>
        <CpuLegend />
      </p>
      <Answered answer={answer} size="chart">
        {(lane) =>
          isEmpty(lane) ? (
            <NoSeconds host={subject.host} retry={answer.retry} />
          ) : (
            <Lanes {...{ lane, bounds, startMs, endMs }} label={t("trace.lane")} marksRequest={false} />
          )
        }
      </Answered>
    </section>
  );
}

/** The same with half a minute before and after, the request's seconds marked. */
export function HostMeanwhile({ subject, answer, startMs, endMs }: HostLaneProps): JSX.Element | null {
  const { data } = answer;
  if (data === null || isEmpty(data)) return null;
  const bounds = { fromMs: startMs - AROUND_MS, toMs: endMs + AROUND_MS };
  return (
    <Card title={t("trace.hostCpu")} note={t("trace.hostNote", { host: subject.host })} aside={<CpuLegend />}>
      <Lanes {...{ lane: data, bounds, startMs, endMs }} label={t("trace.hostCpu")} marksRequest />
    </Card>
  );
}

function isEmpty({ cols, process }: HostLaneAnswer): boolean {
  return [...Object.values(cols), ...Object.values(process?.cols ?? {})].every((column) =>
    column.every((value) => value === null),
  );
}

function NoSeconds({ host, retry }: { host: string; retry: () => void }): JSX.Element {
  return (
    <Empty title={t("trace.laneEmpty", { host })} hint={t("trace.laneEmptyHint")}>
      <button type="button" class="button" onClick={retry}>
        {t("state.retry")}
      </button>
    </Empty>
  );
}

function CpuLegend(): JSX.Element {
  return (
    <span class="lane-legend" aria-hidden="true">
      {CPU_MODES.map(({ key, color }) => (
        <span key={key}>
          <i class={`swatch fill-${color}`} /> {t(`host.${key}`)}
        </span>
      ))}
    </span>
  );
}
