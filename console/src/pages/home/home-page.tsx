import type { JSX } from "preact";
import { lazyPage } from "../../app/lazy-page.tsx";
import { link, pageRange } from "../../app/location.ts";
import { PageFrame } from "../../app/page-frame.tsx";
import type { AppsAnswer, HostsAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { type Answer, useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { Answered } from "../../ui/states.tsx";
import { HostsTable, NoHosts } from "../hosts/hosts-table.tsx";
import { AppsTable } from "./apps-table.tsx";
import { NoApps } from "./no-apps.tsx";

const OpenVerdicts = lazyPage(
  async () => (await import("./open-verdicts.tsx")).OpenVerdicts,
  () => null,
);
const DiedProcesses = lazyPage(
  async () => (await import("./died-processes.tsx")).DiedProcesses,
  () => null,
);

/** "Is anything wrong now, and where do I click?" */
export function HomePage(): JSX.Element {
  const apps = useAnswer<AppsAnswer>(apiPaths.apps(), pageRange.value);
  const hosts = useAnswer<HostsAnswer>(apiPaths.hosts(), pageRange.value);
  return (
    <PageFrame title={t("home.title")}>
      <OpenVerdicts />
      <AppsCard apps={apps} />
      <Card
        title={t("home.hosts")}
        note={t("home.hostsNote")}
        aside={<a href={link({ page: "hosts" })}>{t("nav.hosts")} →</a>}
      >
        <Answered answer={hosts}>
          {({ hosts }) => (hosts.length === 0 ? <NoHosts /> : <HostsTable hosts={hosts} />)}
        </Answered>
      </Card>
      <DiedProcesses />
    </PageFrame>
  );
}

/** All apps and nothing else. */
export function AppsPage(): JSX.Element {
  const apps = useAnswer<AppsAnswer>(apiPaths.apps(), pageRange.value);
  return (
    <PageFrame title={t("nav.apps")}>
      <AppsCard apps={apps} />
    </PageFrame>
  );
}

function AppsCard({ apps }: { apps: Answer<AppsAnswer> }): JSX.Element {
  return (
    <Card title={t("home.apps")} note={t("home.appsNote")}>
      <Answered answer={apps}>
        {({ apps }) => (apps.length === 0 ? <NoApps /> : <AppsTable apps={apps} />)}
      </Answered>
    </Card>
  );
}
