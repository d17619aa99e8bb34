import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { pageRange } from "../../app/location.ts";
import type { AppsAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { type Answer, useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { duration, text } from "../../ui/number-text.ts";
import { Answered } from "../../ui/states.tsx";
import { MsField, msOf, SaveForm } from "./save-form.tsx";
import type { AppSettings, GeneralSettings, SettingsAnswer } from "./settings-answers.ts";
import "../../i18n/en/settings.ts";

const SQL_CHOICES = [
  ["", "settings.sqlHost"],
  ["obfuscated", "settings.sqlObfuscated"],
  ["local", "settings.sqlLocal"],
  ["off", "settings.sqlOff"],
] as const;

/** Thresholds and modes, of all apps and of single ones. */
export function AppSettingsCard({ settings }: { settings: Answer<SettingsAnswer> }): JSX.Element {
  const apps = useAnswer<AppsAnswer>(apiPaths.apps(), pageRange.value);
  return (
    <Card title={t("settings.apps")} note={t("settings.appsNote")}>
      <Answered answer={settings}>
        {({ all, apps: own }) => (
          <>
            <AllApps key={JSON.stringify(all)} settings={all} onSaved={settings.retry} />
            <Answered answer={apps}>
              {({ apps: seen }) => {
                const names = [
                  ...new Set([...seen.map(({ app }) => app), ...own.map(({ app }) => app)]),
                ].sort();
                if (names.length === 0) return <p class="note">{t("settings.noApps")}</p>;
                return names.map((app) => {
                  const values = own.find((one) => one.app === app)?.settings ?? {};
                  return (
                    <OneApp
                      key={JSON.stringify([app, values])}
                      app={app}
                      settings={values}
                      apdexTMs={seen.find((one) => one.app === app)?.apdexTMs ?? null}
                      onSaved={settings.retry}
                    />
                  );
                });
              }}
            </Answered>
          </>
        )}
      </Answered>
    </Card>
  );
}

function AllApps(props: { settings: GeneralSettings; onSaved: () => void }): JSX.Element {
  const { settings } = props;
  const apdexT = useSignal(fieldOf(settings.apdexTMs));
  const slowAction = useSignal(fieldOf(settings.slowActionMs));
  const slowStatement = useSignal(fieldOf(settings.slowStatementMs));
  const sql = useSignal(settings.sql ?? "");
  const body = bodyOf({
    apdexTMs: msOf(apdexT.value),
    slowActionMs: msOf(slowAction.value),
    slowStatementMs: msOf(slowStatement.value),
    sql: sql.value === "" ? undefined : sql.value,
  });
  return (
    <SaveForm
      label={t("settings.all")}
      url={apiPaths.settingsOfAll()}
      body={body}
      isChanged={!isSame(body, settings)}
      onSaved={props.onSaved}
    >
      <span class="setting-name strong">{t("settings.all")}</span>
      <MsField
        label={t("settings.apdexT")}
        value={apdexT.value}
        onValue={(value) => (apdexT.value = value)}
      />
      <MsField
        label={t("settings.slowAction")}
        value={slowAction.value}
        onValue={(value) => (slowAction.value = value)}
      />
      <MsField
        label={t("settings.slowStatement")}
        value={slowStatement.value}
        onValue={(value) => (slowStatement.value = value)}
      />
      <label class="setting">
        <span class="setting-label">{t("settings.sql")}</span>
        <select class="field" value={sql.value} onChange={(event) => (sql.value = event.currentTarget.value)}>
          {SQL_CHOICES.map(([value, label]) => (
            <option key={value} value={value}>
              {t(label)}
            </option>
          ))}
        </select>
        <span class="note">{t("settings.sqlNote")}</span>
      </label>
    </SaveForm>
  );
}

function OneApp(props: {
  app: string;
  settings: AppSettings;
  apdexTMs: number | null;
  onSaved: () => void;
}): JSX.Element {
  const { app, settings } = props;
  const apdexT = useSignal(fieldOf(settings.apdexTMs));
  const slowAction = useSignal(fieldOf(settings.slowActionMs));
  const body = bodyOf({ apdexTMs: msOf(apdexT.value), slowActionMs: msOf(slowAction.value) });
  return (
    <SaveForm
      label={app}
      url={apiPaths.settingsOfApp(app)}
      body={body}
      isChanged={!isSame(body, settings)}
      onSaved={props.onSaved}
    >
      <span class="setting-name">{app}</span>
      <MsField
        label={t("settings.apdexT")}
        value={apdexT.value}
        {...(props.apdexTMs !== null && {
          hint: t("settings.inForce", { t: text(duration(props.apdexTMs)) }),
        })}
        onValue={(value) => (apdexT.value = value)}
      />
      <MsField
        label={t("settings.slowAction")}
        value={slowAction.value}
        onValue={(value) => (slowAction.value = value)}
      />
    </SaveForm>
  );
}

function fieldOf(ms: number | undefined): string {
  return ms === undefined ? "" : String(ms);
}

/** Without what is not set; null while a value is wrong. */
function bodyOf(values: Record<string, number | string | undefined | null>): object | null {
  if (Object.values(values).includes(null)) return null;
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function isSame(body: object | null, settings: object): boolean {
  const sorted = (value: object): string =>
    JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  return body !== null && sorted(body) === sorted(settings);
}
