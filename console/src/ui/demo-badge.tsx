import type { JSX } from "preact";
import { t } from "../i18n/translate.ts";

/** The apps of `apm up --demo`, by the names that it gives them. */
const DEMO_APPS: readonly string[] = ["demo-shop", "demo-payments"];

/** Says that an app's numbers come from invented visitors; nothing for other apps. */
export function DemoBadge({ app }: { app: string }): JSX.Element | null {
  if (!DEMO_APPS.includes(app)) return null;
  return (
    <span class="chip demo-badge" title={t("demo.hint")}>
      {t("demo.badge")}
    </span>
  );
}
