import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { t } from "../i18n/translate.ts";
import { Icon } from "../ui/icon.tsx";
import { changedLink, pageRange, replaceParameters } from "./location.ts";
import { rangeText } from "./time-range.ts";

/** Copies this page's link with the range frozen to absolute UTC times, so that others see the same. */
export function CopyLink(): JSX.Element {
  const message = useSignal("");
  const copy = async (): Promise<void> => {
    const { from, to } = rangeText(pageRange.value);
    const link = window.location.origin + changedLink({ from, to });
    try {
      await navigator.clipboard.writeText(link);
      message.value = t("time.copied");
    } catch {
      // Without HTTPS or permission there is no clipboard; the address bar can always be copied.
      replaceParameters({ from, to });
      message.value = t("time.copyFailed");
    }
    window.setTimeout(() => (message.value = ""), 4000);
  };
  return (
    <>
      <button
        type="button"
        class="button button-icon"
        aria-label={t("time.copy")}
        title={t("time.copy")}
        onClick={() => void copy()}
      >
        <Icon name="link" />
      </button>
      <span class="toast" role="status" data-shown={message.value !== ""}>
        {message.value}
      </span>
    </>
  );
}
