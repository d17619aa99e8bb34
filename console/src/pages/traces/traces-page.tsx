import type { JSX } from "preact";
import { changedLink, link, pageRange, replaceParameters, search } from "../../app/location.ts";
import { PageFrame } from "../../app/page-frame.tsx";
import { choice } from "../../app/url-state.ts";
import type { TracesAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { KeptNote, NoneKept } from "../../ui/kept-note.tsx";
import { Answered } from "../../ui/states.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { UnknownApp } from "../app/unknown-app.tsx";
import { TracesTable } from "./traces-table.tsx";
import "../../i18n/en/traces.ts";

const SORTS = ["slowest", "recent"] as const;
const LIMIT = 200;

/** Kept traces of an app, or of one of its actions (`?action=`). */
export function TracesPage({ app }: { app: string }): JSX.Element {
  const sort = choice(search.value, "sort", SORTS);
  const isErrorsOnly = search.value.get("error") === "true";
  const isRepeatsOnly = search.value.get("repeats") === "true";
  const action = search.value.get("action");
  const path = apiPaths.traces(app, {
    action,
    sort,
    error: isErrorsOnly,
    repeats: isRepeatsOnly,
    limit: LIMIT,
  });
  const answer = useAnswer<TracesAnswer>(path, pageRange.value);
  const note = action === null ? t("traces.note") : t("traces.ofAction", { action });
  return (
    <PageFrame title={t("traces.title")} crumbs={[{ label: app, href: link({ page: "app", app }) }]}>
      <Card title={t("traces.title")} note={note}>
        <div class="controls">
          <Tabs
            label={t("metric.sortBy")}
            tabs={SORTS.map((one) => ({
              label: t(`traces.sort.${one}`),
              href: changedLink({ sort: one === "slowest" ? null : one }),
              isCurrent: one === sort,
            }))}
          />
          <label class="check">
            <input
              type="checkbox"
              checked={isErrorsOnly}
              onChange={(event) => replaceParameters({ error: event.currentTarget.checked ? "true" : null })}
            />
            {t("traces.errorsOnly")}
          </label>
          <label class="check">
            <input
              type="checkbox"
              checked={isRepeatsOnly}
              onChange={(event) =>
                replaceParameters({ repeats: event.currentTarget.checked ? "true" : null })
              }
            />
            {t("traces.repeatsOnly")}
          </label>
          {action !== null && (
            <a class="quiet" href={changedLink({ action: null })}>
              {t("traces.allActions")}
            </a>
          )}
        </div>
        <Answered answer={answer} missing={<UnknownApp app={app} />}>
          {({ traces, ...kept }) =>
            traces.length === 0 ? (
              <NoneKept answer={kept} title={t("state.noTraces")} hint={t("state.noTracesHint")} />
            ) : (
              <>
                <TracesTable traces={traces} />
                <KeptNote answer={kept} />
                {traces.length === LIMIT && (
                  <p class="note after-table">{t("traces.limited", { count: LIMIT })}</p>
                )}
              </>
            )
          }
        </Answered>
      </Card>
    </PageFrame>
  );
}
