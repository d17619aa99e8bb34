import type { JSX } from "preact";
import { t } from "../i18n/translate.ts";
import { isLivePolling, liveStates } from "./live.ts";
import "../i18n/en/live.ts";

/** The first version of a daemon that sends seconds as they come. */
const SINCE = "0.2";

/** What keeps live mode from being live, and what to do. */
export function LiveNote(): JSX.Element | null {
  const states = Object.values(liveStates.value);
  const named = (state: string): string =>
    states
      .filter((one) => one.state === state)
      .map(({ host, version }) => (version === "" ? host : `${host} (${version})`))
      .join(", ");
  const [offline, old] = [named("offline"), named("old")];
  const problems = [
    offline !== "" && t("live.offline", { hosts: offline }),
    old !== "" && t("live.old", { hosts: old, since: SINCE }),
    isLivePolling.value && t("live.polling"),
  ].filter((problem) => problem !== false);
  if (problems.length === 0) return null;
  return (
    <p class="notice" role="status">
      {problems.join(" ")}
    </p>
  );
}
