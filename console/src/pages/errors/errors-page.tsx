import type { JSX } from "preact";
import { comparedRange } from "../../app/comparison.ts";
import { lazyPage } from "../../app/lazy-page.tsx";
import { link, pageRange, replaceParameters, search } from "../../app/location.ts";
import { PageFrame } from "../../app/page-frame.tsx";
import { choice } from "../../app/url-state.ts";
import type { ErrorSeriesAnswer, ErrorsAnswer, EventsAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { KeptNote, NoneKept } from "../../ui/kept-note.tsx";
import { count, text } from "../../ui/number-text.ts";
import { Answered } from "../../ui/states.tsx";
import { UnknownApp } from "../app/unknown-app.tsx";
import { ErrorChart } from "./error-chart.tsx";
import { ERROR_SORTS, type ErrorSort, GroupsTable } from "./groups-table.tsx";
import "../../i18n/en/ends.ts";
import "../../i18n/en/errors.ts";

const AppEnds = lazyPage(async () => (await import("../app/app-ends.tsx")).AppEnds);
const ErrorDetail = lazyPage(async () => (await import("./error-detail.tsx")).ErrorDetail);

/** As many as the collector answers. */
const MAX_GROUPS = 200;

/** "What broke, since when, how often?" */
export function ErrorsPage({ app }: { app: string }): JSX.Element {
  const group = search.value.get("sel");
  return (
    <PageFrame
      title={t("nav.errors")}
      crumbs={[{ label: app, href: link({ page: "app", app }) }]}
      hasComparison={group === null}
    >
      {group === null ? <Overview app={app} /> : <ErrorDetail app={app} group={group} />}
    </PageFrame>
  );
}

function Overview({ app }: { app: string }): JSX.Element {
  const range = pageRange.value;
  const before = comparedRange.value;
  const sort = choice(search.value, "sort", ERROR_SORTS);
  const errors = useAnswer<ErrorsAnswer>(apiPaths.errors(app), range);
  const errorsBefore = useAnswer<ErrorsAnswer>(before === null ? null : apiPaths.errors(app), before);
  const series = useAnswer<ErrorSeriesAnswer>(apiPaths.errorSeries(app), range);
  const seriesBefore = useAnswer<ErrorSeriesAnswer>(
    before === null ? null : apiPaths.errorSeries(app),
    before,
  );
  return (
    <Answered
      answer={series}
      size="chart-tall"
      missing={
        <Card>
          <UnknownApp app={app} />
        </Card>
      }
    >
      {(data) => (
        <>
          {data.count === 0 || data.count === null ? (
            <Card>
              <NoneKept answer={data} title={t("state.noErrors")} hint={t("errors.emptyHint")} />
            </Card>
          ) : (
            <>
              <Card>
                <ErrorChart app={app} series={data} compared={seriesBefore.data} />
              </Card>
              <Card
                title={t("errors.groups")}
                note={`${t("errors.total", { count: text(count(data.count)) })} · ${t("errors.groupsNote")}`}
                aside={<SortChoice sort={sort} />}
              >
                <Answered answer={errors}>
                  {(found) => (
                    <>
                      <GroupsTable errors={found.errors} before={errorsBefore.data} sort={sort} />
                      <KeptNote answer={found} />
                      {found.errors.length === MAX_GROUPS && (
                        <p class="note after-table">{t("errors.limited", { count: MAX_GROUPS })}</p>
                      )}
                    </>
                  )}
                </Answered>
              </Card>
            </>
          )}
          <AppEnds app={app} none={(answer) => <NoEnds answer={answer} />} />
        </>
      )}
    </Answered>
  );
}

function NoEnds({ answer }: { answer: EventsAnswer }): JSX.Element {
  return (
    <Card title={t("ends.title")} note={t("ends.note")}>
      <NoneKept answer={answer} title={t("errors.noEnds")} hint={t("errors.noEndsHint")} />
    </Card>
  );
}

/** For those who cannot click the table's headings: on phones there are none. */
function SortChoice({ sort }: { sort: ErrorSort }): JSX.Element {
  return (
    <label class="sort-choice">
      <span class="note">{t("metric.sortBy")}</span>
      <select
        class="field"
        value={sort}
        onChange={(event) => {
          const { value } = event.currentTarget;
          replaceParameters({ sort: value === "new" ? null : value });
        }}
      >
        {ERROR_SORTS.map((one) => (
          <option key={one} value={one}>
            {t(`errors.sort.${one}`)}
          </option>
        ))}
      </select>
    </label>
  );
}
