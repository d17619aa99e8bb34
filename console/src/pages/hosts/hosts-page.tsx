import type { JSX } from "preact";
import { pageRange } from "../../app/location.ts";
import { PageFrame } from "../../app/page-frame.tsx";
import type { HostsAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { Answered } from "../../ui/states.tsx";
import { HostsTable, NoHosts } from "./hosts-table.tsx";
import "../../i18n/en/host.ts";

/** "Which host is under pressure?" */
export function HostsPage(): JSX.Element {
  const hosts = useAnswer<HostsAnswer>(apiPaths.hosts(), pageRange.value);
  return (
    <PageFrame title={t("hosts.title")}>
      <Card title={t("hosts.title")} note={t("home.hostsNote")}>
        <Answered answer={hosts}>
          {({ hosts }) => (hosts.length === 0 ? <NoHosts /> : <HostsTable hosts={hosts} isFull />)}
        </Answered>
      </Card>
    </PageFrame>
  );
}
