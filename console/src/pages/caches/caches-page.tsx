import type { JSX } from "preact";
import { comparedRange } from "../../app/comparison.ts";
import { lazyPage } from "../../app/lazy-page.tsx";
import { pageRange } from "../../app/location.ts";
import { PageFrame } from "../../app/page-frame.tsx";
import type { CallGroup, CallSeriesAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { Answered, Empty } from "../../ui/states.tsx";
import { UnknownApp } from "../app/unknown-app.tsx";
import { CallCountChart, LatencyChart } from "../calls/call-charts.tsx";
import { storeName } from "../calls/call-name.ts";
import { selection } from "../calls/selection.ts";
import { selectionCrumbs } from "../calls/selection-crumbs.ts";
import "../../i18n/en/calls.ts";

const CommandsCard = lazyPage(async () => (await import("./commands-card.tsx")).CommandsCard);
const CommandDetail = lazyPage(async () => (await import("./command-detail.tsx")).CommandDetail);

/** Each has two charts: more would not be looked at. */
const MAX_STORES = 12;

/** "Slow or just busy?" */
export function CachesPage({ app }: { app: string }): JSX.Element {
  const selected = selection(4);
  return (
    <PageFrame
      title={selected === null ? t("nav.caches") : (selected[2] ?? "")}
      crumbs={selectionCrumbs(app, t("nav.caches"), selected !== null)}
      hasComparison
    >
      {selected === null ? <Overview app={app} /> : <CommandDetail app={app} parts={selected} />}
    </PageFrame>
  );
}

function Overview({ app }: { app: string }): JSX.Element {
  const range = pageRange.value;
  const before = comparedRange.value;
  const path = apiPaths.callSeries(app, { category: "cache" }, "store", MAX_STORES);
  const series = useAnswer<CallSeriesAnswer>(path, range);
  const seriesBefore = useAnswer<CallSeriesAnswer>(before === null ? null : path, before);
  return (
    <Answered
      answer={series}
      size="chart"
      missing={
        <Card>
          <UnknownApp app={app} />
        </Card>
      }
    >
      {(data) => {
        if (data.all.calls === 0)
          return (
            <Card>
              <Empty title={t("state.noCache")} hint={t("calls.noCacheHint")} />
            </Card>
          );
        return (
          <>
            <div class="grid">
              {data.groups.map((group) => (
                <StoreCard
                  key={storeName(group)}
                  app={app}
                  series={ofStore(data, group)}
                  compared={ofStoreBefore(seriesBefore.data, group)}
                  name={storeName(group)}
                  isAlone={data.groups.length === 1}
                />
              ))}
            </div>
            {data.leftOut > 0 && <p class="note">{t("calls.storesLimited", { count: MAX_STORES })}</p>}
            <CommandsCard app={app} />
          </>
        );
      }}
    </Answered>
  );
}

/** Calls and their duration beside each other: whether it is slow or only busy. */
function StoreCard(props: {
  app: string;
  name: string;
  isAlone: boolean;
  series: CallSeriesAnswer;
  compared: CallSeriesAnswer | null;
}): JSX.Element {
  const { app, name, isAlone, series, compared } = props;
  const charts = { subject: `${app} ${name}`, series, compared };
  return (
    <Card class={isAlone ? "span-12" : "span-6"} title={name} note={t("calls.storesNote")}>
      <div class="pair">
        <CallCountChart {...charts} />
        <LatencyChart {...charts} />
      </div>
    </Card>
  );
}

/** The answer as if that store were all. */
function ofStore(series: CallSeriesAnswer, group: CallGroup): CallSeriesAnswer {
  return { ...series, all: group, groups: [group], leftOut: 0 };
}

function ofStoreBefore(
  series: CallSeriesAnswer | null,
  { system, target }: CallGroup,
): CallSeriesAnswer | null {
  const group = series?.groups.find((one) => one.system === system && one.target === target);
  return series && group ? ofStore(series, group) : null;
}
