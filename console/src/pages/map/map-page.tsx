import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { changedLink, pageRange, replaceParameters, search } from "../../app/location.ts";
import { PageFrame } from "../../app/page-frame.tsx";
import { choice } from "../../app/url-state.ts";
import type { ServiceMapAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { Answered, Empty } from "../../ui/states.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { NoApps } from "../home/no-apps.tsx";
import { groupedMap } from "./map-groups.ts";
import { MapPicture } from "./map-picture.tsx";
import { MAP_SORTS, MapTable } from "./map-table.tsx";
import "../../i18n/en/map.ts";

const VIEWS = ["picture", "table"] as const;
/** A picture that is wider than the screen tells less than rows: there it comes when asked for. */
const FIRST_ON_PHONES = ["table", "picture"] as const;

/** "Who calls whom, and where does it hurt?" */
export function MapPage(): JSX.Element {
  const isNarrow = window.matchMedia("(max-width: 700px)").matches;
  const view = choice(search.value, "view", isNarrow ? FIRST_ON_PHONES : VIEWS);
  const answer = useAnswer<ServiceMapAnswer>(apiPaths.map(), pageRange.value);
  return (
    <PageFrame title={t("map.title")}>
      <Card title={t("map.title")} note={t("map.note")}>
        <div class="controls">
          <Tabs
            label={t("map.view")}
            tabs={VIEWS.map((one) => ({
              label: t(`map.view.${one}`),
              href: changedLink({ view: one }),
              isCurrent: one === view,
            }))}
          />
          {view === "table" && <SortChoice />}
        </div>
        <Answered answer={answer} size="chart-tall">
          {(map) => <Content map={map} view={view} />}
        </Answered>
      </Card>
    </PageFrame>
  );
}

function Content({ map, view }: { map: ServiceMapAnswer; view: (typeof VIEWS)[number] }): JSX.Element {
  const drawn = useMemo(() => groupedMap(map.nodes, map.edges), [map]);
  if (map.nodes.length === 0) return <NoApps />;
  if (map.edges.length === 0) return <Empty title={t("map.noCalls")} hint={t("map.noCallsHint")} />;
  const alone = map.nodes.filter(
    ({ id, kind }) => kind === "app" && !map.edges.some(({ from }) => from === id),
  );
  return (
    <>
      {view === "picture" ? (
        <MapPicture map={drawn} />
      ) : (
        <MapTable map={map} sort={choice(search.value, "sort", MAP_SORTS)} />
      )}
      {view === "table" && alone.length > 0 && (
        <p class="note after-table">{t("map.alone", { apps: alone.map(({ app }) => app).join(", ") })}</p>
      )}
      {map.isLimited && <p class="note after-table">{t("map.limited")}</p>}
      <p class="note after-table">{t("map.joined")}</p>
    </>
  );
}

function SortChoice(): JSX.Element {
  const sort = choice(search.value, "sort", MAP_SORTS);
  return (
    <label class="sort-choice">
      <span class="note">{t("metric.sortBy")}</span>
      <select
        class="field"
        value={sort}
        onChange={(event) => {
          const { value } = event.currentTarget;
          replaceParameters({ sort: value === "time" ? null : value });
        }}
      >
        {MAP_SORTS.map((one) => (
          <option key={one} value={one}>
            {t(`map.sort.${one}`)}
          </option>
        ))}
      </select>
    </label>
  );
}
