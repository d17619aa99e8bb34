import type { JSX } from "preact";
import { t } from "../i18n/translate.ts";
import { lazyPage } from "./lazy-page.tsx";
import { isLiveMode, LIVE_BUTTON_ID, toggleLive } from "./live.ts";

const LiveNote = lazyPage(
  async () => (await import("./live-note.tsx")).LiveNote,
  () => null,
);

/** Switches live mode on and off. */
export function LiveButton(): JSX.Element {
  return (
    <button
      type="button"
      id={LIVE_BUTTON_ID}
      class="button live-button"
      aria-pressed={isLiveMode.value}
      onClick={toggleLive}
    >
      <i class="live-dot" aria-hidden="true" />
      {t("live.live")}
    </button>
  );
}

/** Says why what should be live is not; nothing else. */
export function LiveProblems(): JSX.Element | null {
  return isLiveMode.value ? <LiveNote /> : null;
}
