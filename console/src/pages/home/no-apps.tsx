import type { JSX } from "preact";
import { t } from "../../i18n/translate.ts";
import { Empty } from "../../ui/states.tsx";

/** How an app comes under the agent, for pages that have none to show. */
export const RUN_COMMAND = "apm run --name shop node app.js";

/** The collector knows no app yet. */
export function NoApps(): JSX.Element {
  return <Empty title={t("state.noApps")} hint={t("state.noAppsHint")} command={RUN_COMMAND} />;
}
