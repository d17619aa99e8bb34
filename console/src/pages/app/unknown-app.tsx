import type { JSX } from "preact";
import { t } from "../../i18n/translate.ts";
import { Empty } from "../../ui/states.tsx";
import { RUN_COMMAND } from "../home/no-apps.tsx";

/** The collector never heard of this app. */
export function UnknownApp({ app }: { app: string }): JSX.Element {
  return (
    <Empty title={t("state.unknownApp", { app })} hint={t("state.unknownAppHint")} command={RUN_COMMAND} />
  );
}
