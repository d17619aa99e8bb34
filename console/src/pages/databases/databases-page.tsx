import type { JSX } from "preact";
import { comparedRange } from "../../app/comparison.ts";
import { lazyPage } from "../../app/lazy-page.tsx";
import { changedLink, pageRange, search } from "../../app/location.ts";
import { PageFrame } from "../../app/page-frame.tsx";
import { choice } from "../../app/url-state.ts";
import type { CallSeriesAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Tabs } from "../../ui/tabs.tsx";
import { CallOverview } from "../calls/call-overview.tsx";
import { selection } from "../calls/selection.ts";
import { selectionCrumbs } from "../calls/selection-crumbs.ts";
import "../../i18n/en/calls.ts";

const DatabaseTables = lazyPage(async () => (await import("./database-tables.tsx")).DatabaseTables);
const StatementDetail = lazyPage(async () => (await import("./statement-detail.tsx")).StatementDetail);

const GROUPINGS = ["store", "operation"] as const;
/** Layers of the charts. */
const GROUPS = 5;

/** "Which SQL hurts, and who calls it?" */
export function DatabasesPage({ app }: { app: string }): JSX.Element {
  const selected = selection(4);
  return (
    <PageFrame
      title={selected === null ? t("nav.databases") : (selected[2] ?? "")}
      crumbs={selectionCrumbs(app, t("nav.databases"), selected !== null)}
      hasComparison
    >
      {selected === null ? <Overview app={app} /> : <StatementDetail app={app} parts={selected} />}
    </PageFrame>
  );
}

function Overview({ app }: { app: string }): JSX.Element {
  const before = comparedRange.value;
  const by = choice(search.value, "by", GROUPINGS);
  const path = apiPaths.callSeries(app, { category: "database" }, by, GROUPS);
  const series = useAnswer<CallSeriesAnswer>(path, pageRange.value);
  const compared = useAnswer<CallSeriesAnswer>(before === null ? null : path, before);
  return (
    <CallOverview
      app={app}
      answer={series}
      compared={compared.data}
      empty={{ title: t("state.noDatabase"), hint: t("calls.noDatabaseHint") }}
      controls={
        <div class="controls">
          <Tabs
            label={t("calls.by")}
            tabs={GROUPINGS.map((one) => ({
              label: t(`calls.by.${one}`),
              href: changedLink({ by: one === "store" ? null : one }),
              isCurrent: one === by,
            }))}
          />
        </div>
      }
    >
      {() => <DatabaseTables app={app} />}
    </CallOverview>
  );
}
