import type { JSX } from "preact";
import { link } from "../../app/location.ts";
import type { Answer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { count, percent, text } from "../../ui/number-text.ts";
import { Answered } from "../../ui/states.tsx";
import { Table } from "../../ui/table.tsx";
import { dateTimeText } from "../../ui/time-text.ts";
import type { CompletenessAnswer, Daemon, FleetAnswer } from "./settings-answers.ts";
import "../../i18n/en/settings.ts";

const STATE_CHIPS: Readonly<Record<Daemon["settings"], string>> = {
  applied: "grade-good",
  pending: "grade-fair",
  refused: "grade-none",
  too_old: "grade-poor",
};

/** Who is connected, by which release, and whether the settings above hold there. */
export function DaemonsCard({ fleet }: { fleet: Answer<FleetAnswer> }): JSX.Element {
  return (
    <Card title={t("settings.hosts")}>
      <Answered answer={fleet}>
        {({ daemons }) =>
          daemons.length === 0 ? (
            <p class="note">{t("settings.noHosts")}</p>
          ) : (
            <Table
              label={t("settings.hosts")}
              rows={daemons}
              keyOf={({ stream }) => stream}
              columns={[
                {
                  key: "host",
                  label: t("settings.host"),
                  cell: ({ host }) => <a href={link({ page: "host", host })}>{host}</a>,
                },
                { key: "version", label: t("settings.version"), cell: ({ daemonVersion }) => daemonVersion },
                { key: "node", label: t("settings.runtime"), cell: ({ nodeVersion }) => nodeVersion },
                { key: "address", label: t("settings.address"), cell: ({ address }) => address },
                { key: "key", label: t("settings.key"), cell: ({ key }) => key },
                {
                  key: "since",
                  label: t("settings.since"),
                  cell: ({ connectedUnixMs }) => dateTimeText(connectedUnixMs),
                },
                {
                  key: "settings",
                  label: t("settings.state"),
                  cell: ({ settings }) => (
                    <span class={`chip ${STATE_CHIPS[settings]}`}>{t(`settings.${settings}`)}</span>
                  ),
                },
              ]}
            />
          )
        }
      </Answered>
    </Card>
  );
}

/** Agents' releases, so that one can see what is left to be renewed. */
export function AgentsCard({ fleet }: { fleet: Answer<FleetAnswer> }): JSX.Element {
  return (
    <Card title={t("settings.agents")} note={t("settings.agentsNote")}>
      <Answered answer={fleet}>
        {({ agents }) =>
          agents.length === 0 ? (
            <p class="note">{t("settings.noApps")}</p>
          ) : (
            <Table
              label={t("settings.agents")}
              rows={agents}
              keyOf={({ app, agentVersion, runtime }) => JSON.stringify([app, agentVersion, runtime])}
              columns={[
                {
                  key: "app",
                  label: t("settings.app"),
                  cell: ({ app }) => <a href={link({ page: "app", app })}>{app}</a>,
                },
                { key: "agent", label: t("settings.agent"), cell: ({ agentVersion }) => agentVersion },
                { key: "runtime", label: t("settings.runtime"), cell: ({ runtime }) => runtime },
                {
                  key: "processes",
                  label: t("settings.processes"),
                  isNumber: true,
                  cell: ({ processes }) => text(count(processes)),
                },
                {
                  key: "hosts",
                  label: t("metric.hosts"),
                  isNumber: true,
                  cell: ({ hosts }) => text(count(hosts)),
                },
              ]}
            />
          )
        }
      </Answered>
    </Card>
  );
}

/** The loss ledger in short. */
export function LedgerCard({ answer }: { answer: Answer<CompletenessAnswer> }): JSX.Element {
  return (
    <Card title={t("settings.ledger")} note={t("settings.ledgerNote")}>
      <Answered answer={answer}>
        {({ apps, more }) => (
          <>
            <Table
              label={t("settings.ledger")}
              rows={apps}
              keyOf={({ app }) => app}
              columns={[
                {
                  key: "app",
                  label: t("settings.app"),
                  cell: ({ app }) => <a href={link({ page: "app", app })}>{app}</a>,
                },
                {
                  key: "recorded",
                  label: t("settings.recorded"),
                  isNumber: true,
                  cell: ({ completeness }) => text(count(completeness.created)),
                },
                {
                  key: "stored",
                  label: t("settings.stored"),
                  isNumber: true,
                  cell: ({ completeness }) => text(count(completeness.stored)),
                },
                {
                  key: "flight",
                  label: t("settings.inFlight"),
                  isNumber: true,
                  cell: ({ completeness }) => text(count(completeness.inFlight)),
                },
                {
                  key: "lost",
                  label: t("settings.lost"),
                  isNumber: true,
                  cell: ({ completeness }) => lostText(completeness.dropped),
                },
                {
                  key: "complete",
                  label: t("settings.complete"),
                  isNumber: true,
                  cell: ({ completeness }) => text(percent(completeness.ratio)),
                },
              ]}
            />
            {more > 0 && <p class="note">{t("settings.moreApps", { count: more })}</p>}
          </>
        )}
      </Answered>
    </Card>
  );
}

function lostText(dropped: Record<string, number>): string {
  const reasons = Object.entries(dropped).map(([reason, spans]) => `${text(count(spans))} ${reason}`);
  return reasons.length === 0 ? "0" : reasons.join(", ");
}
