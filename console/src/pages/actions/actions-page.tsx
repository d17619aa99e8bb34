import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { changedLink, link, pageRange, replaceParameters, search } from "../../app/location.ts";
import { PageFrame } from "../../app/page-frame.tsx";
import { FILTER_ID } from "../../app/shortcuts.ts";
import { choice } from "../../app/url-state.ts";
import type { ActionsAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { duration, percent, text } from "../../ui/number-text.ts";
import { Answered, Empty } from "../../ui/states.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { UnknownApp } from "../app/unknown-app.tsx";
import { ACTION_SORTS, ActionsTable } from "./actions-table.tsx";
import "../../i18n/en/actions.ts";

const KINDS = ["web", "background", "all"] as const;

/** "Which action costs users most time?" */
export function ActionsPage({ app }: { app: string }): JSX.Element {
  const kind = choice(search.value, "kind", KINDS);
  const sort = choice(search.value, "sort", ACTION_SORTS);
  const answer = useAnswer<ActionsAnswer>(apiPaths.actions(app, kind, sort), pageRange.value);
  const query = search.value.get("q") ?? "";
  return (
    <PageFrame title={t("actions.title")} crumbs={[{ label: app, href: link({ page: "app", app }) }]}>
      <Card title={t("actions.title")} aside={answer.data && totalText(answer.data)}>
        <div class="controls">
          <Tabs
            label={t("actions.title")}
            tabs={KINDS.map((one) => ({
              label: t(`actions.kind.${one}`),
              href: changedLink({ kind: one === "web" ? null : one }),
              isCurrent: one === kind,
            }))}
          />
          <Filter query={query} />
          <SortChoice sort={sort} />
        </div>
        <Answered answer={answer} missing={<UnknownApp app={app} />}>
          {({ actions }) => {
            const matching = actions.filter((row) => row.action.toLowerCase().includes(query.toLowerCase()));
            if (actions.length === 0) {
              const title = t("state.noActions", {
                kind: kind === "all" ? "" : t(`actions.kind.${kind}`).toLowerCase(),
              });
              return <Empty title={title.replace("  ", " ")} hint={t("state.noActionsHint")} />;
            }
            if (matching.length === 0) return <Filtered query={query} total={actions.length} />;
            return <ActionsTable app={app} actions={matching} sort={sort} />;
          }}
        </Answered>
      </Card>
    </PageFrame>
  );
}

function totalText({ actions, totalTimeMs }: ActionsAnswer): string {
  const shares = actions.map((row) => row.wallClockShare ?? 0).sort((a, b) => b - a);
  const top = shares.slice(0, 5).reduce((sum, share) => sum + share, 0);
  const total = t("actions.total", { time: text(duration(totalTimeMs)) });
  return actions.length > 5 ? `${total} · ${t("actions.top5", { share: text(percent(top)) })}` : total;
}

function Filter({ query }: { query: string }): JSX.Element {
  const typed = useSignal(query);
  return (
    <input
      type="search"
      id={FILTER_ID}
      class="field"
      aria-label={t("actions.filter")}
      placeholder={t("actions.filter")}
      value={typed.value}
      onInput={(event) => {
        typed.value = event.currentTarget.value;
        replaceParameters({ q: typed.value === "" ? null : typed.value });
      }}
    />
  );
}

function SortChoice({ sort }: { sort: string }): JSX.Element {
  return (
    <label class="sort-choice">
      <span class="note">{t("metric.sortBy")}</span>
      <select
        class="field"
        value={sort}
        onChange={(event) =>
          replaceParameters({ sort: event.currentTarget.value === "time" ? null : event.currentTarget.value })
        }
      >
        {ACTION_SORTS.map((one) => (
          <option key={one} value={one}>
            {t(`actions.sort.${one}`)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Filtered({ query, total }: { query: string; total: number }): JSX.Element {
  return (
    <Empty title={t("state.filtered", { query })} hint={t("state.filteredHint", { total })}>
      <a class="button" href={changedLink({ q: null })}>
        {t("state.clearFilter")}
      </a>
    </Empty>
  );
}
