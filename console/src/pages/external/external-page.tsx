import type { JSX } from "preact";
import { comparedRange } from "../../app/comparison.ts";
import { lazyPage } from "../../app/lazy-page.tsx";
import { pageRange } from "../../app/location.ts";
import { PageFrame } from "../../app/page-frame.tsx";
import type { CallSeriesAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { CallOverview } from "../calls/call-overview.tsx";
import { selection } from "../calls/selection.ts";
import { selectionCrumbs } from "../calls/selection-crumbs.ts";
import "../../i18n/en/calls.ts";

const ServicesCard = lazyPage(async () => (await import("./services-card.tsx")).ServicesCard);
const ServiceDetail = lazyPage(async () => (await import("./service-detail.tsx")).ServiceDetail);

/** As many as the collector answers; charts show the first of them. */
const MAX_SERVICES = 50;

/** "Which dependency drags us?" */
export function ExternalPage({ app }: { app: string }): JSX.Element {
  const selected = selection(2);
  return (
    <PageFrame
      title={selected === null ? t("nav.external") : ((selected[1] || selected[0]) ?? "")}
      crumbs={selectionCrumbs(app, t("nav.external"), selected !== null)}
      hasComparison
    >
      {selected === null ? <Overview app={app} /> : <ServiceDetail app={app} parts={selected} />}
    </PageFrame>
  );
}

function Overview({ app }: { app: string }): JSX.Element {
  const before = comparedRange.value;
  const path = apiPaths.callSeries(app, { category: "external" }, "store", MAX_SERVICES);
  const series = useAnswer<CallSeriesAnswer>(path, pageRange.value);
  const compared = useAnswer<CallSeriesAnswer>(before === null ? null : path, before);
  return (
    <CallOverview
      app={app}
      answer={series}
      compared={compared.data}
      empty={{ title: t("state.noExternal"), hint: t("calls.noExternalHint") }}
    >
      {(data) => <ServicesCard app={app} series={data} compared={compared.data} />}
    </CallOverview>
  );
}
