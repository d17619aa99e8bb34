import type { JSX } from "preact";
import { pageRange } from "../../app/location.ts";
import { Settings as DisplayChoices } from "../../app/navigation.tsx";
import { PageFrame } from "../../app/page-frame.tsx";
import { apiPaths } from "../../data/paths.ts";
import { type Answer, useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { Answered } from "../../ui/states.tsx";
import { offsetText } from "../../ui/time-text.ts";
import { AppSettingsCard } from "./app-settings.tsx";
import { AgentsCard, DaemonsCard, LedgerCard } from "./fleet-tables.tsx";
import { LicenseKeysCard } from "./license-keys.tsx";
import type { CompletenessAnswer, FleetAnswer, SettingsAnswer } from "./settings-answers.ts";
import "../../i18n/en/settings.ts";

/** "How is this set up, does every host follow, and is anything missing?" */
export function SettingsPage(): JSX.Element {
  const range = pageRange.value;
  const settings = useAnswer<SettingsAnswer>(apiPaths.settings(), null);
  const fleet = useAnswer<FleetAnswer>(apiPaths.fleet(), range);
  const completeness = useAnswer<CompletenessAnswer>(apiPaths.completeness(), range);
  return (
    <PageFrame title={t("settings.title")}>
      <AppSettingsCard settings={settings} />
      <DaemonsCard fleet={fleet} />
      <LicenseKeysCard daemons={fleet.data?.daemons ?? []} />
      <AgentsCard fleet={fleet} />
      <LedgerCard answer={completeness} />
      <Retention settings={settings} />
      <Card title={t("settings.display")} note={t("settings.displayNote")}>
        <p>{t("time.zone", { zone: offsetText(range.toMs) })}</p>
        <DisplayChoices />
      </Card>
    </PageFrame>
  );
}

/** As configured, kind by kind, under the names of the file. */
function Retention({ settings }: { settings: Answer<SettingsAnswer> }): JSX.Element {
  return (
    <Card title={t("settings.retention")} note={t("settings.retentionNote")}>
      <Answered answer={settings}>
        {({ retention }) => (
          <dl class="facts facts-wide">
            {Object.entries(retention).map(([kind, value]) => (
              <div key={kind}>
                <dt class="mono">{kind}</dt>
                <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
              </div>
            ))}
          </dl>
        )}
      </Answered>
    </Card>
  );
}
