import type { JSX } from "preact";
import { pageRange } from "../../app/location.ts";
import { PageFrame } from "../../app/page-frame.tsx";
import type { AppsAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { Answered } from "../../ui/states.tsx";
import { AppsTable } from "./apps-table.tsx";
import { NoApps } from "./no-apps.tsx";

/** All apps and nothing else. */
export function AppsPage(): JSX.Element {
  const apps = useAnswer<AppsAnswer>(apiPaths.apps(), pageRange.value);
  return (
    <PageFrame title={t("nav.apps")}>
      <Card title={t("home.apps")} note={t("home.appsNote")}>
        <Answered answer={apps}>
          {({ apps }) => (apps.length === 0 ? <NoApps /> : <AppsTable apps={apps} />)}
        </Answered>
      </Card>
    </PageFrame>
  );
}
