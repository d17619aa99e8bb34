import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n/translate.ts";
import { spanText } from "../ui/ago-text.ts";
import { Icon } from "../ui/icon.tsx";
import { offsetText, rangeSpanText } from "../ui/time-text.ts";
import { lazyPage } from "./lazy-page.tsx";
import { collectorNowMs, pageRange, rangeInUrl, showRange } from "./location.ts";
import { presetOf, shiftRange } from "./time-range.ts";

/** `t` opens the picker from anywhere. */
export const TIME_BUTTON_ID = "time-range";

const TimeChoices = lazyPage(async () => (await import("./time-choices.tsx")).TimeChoices);

/** The page's time range: earlier, choose, later. */
export function TimePicker(): JSX.Element {
  const isOpen = useSignal(false);
  const frame = useRef<HTMLDivElement>(null);
  const range = pageRange.value;
  const preset = presetOf(rangeInUrl.value);
  useEffect(() => {
    const closeOutside = (event: PointerEvent): void => {
      if (event.target instanceof Node && !frame.current?.contains(event.target)) isOpen.value = false;
    };
    document.addEventListener("pointerdown", closeOutside);
    return () => document.removeEventListener("pointerdown", closeOutside);
  }, []);
  const shift = (direction: -1 | 1): void => showRange(shiftRange(range, direction, collectorNowMs()));
  const close = (): void => {
    isOpen.value = false;
    document.getElementById(TIME_BUTTON_ID)?.focus();
  };
  return (
    <div
      class="time-picker"
      ref={frame}
      onKeyDown={(event) => {
        if (event.key === "Escape" && isOpen.value) close();
      }}
    >
      <div class="button-group">
        <button type="button" class="button" aria-label={t("time.earlier")} onClick={() => shift(-1)}>
          <Icon name="left" />
        </button>
        <button
          type="button"
          class="button"
          id={TIME_BUTTON_ID}
          aria-haspopup="dialog"
          aria-expanded={isOpen.value}
          onClick={() => (isOpen.value = !isOpen.value)}
        >
          <span class="hidden">{t("time.pick")}: </span>
          {preset !== null && <span class="strong">{t("time.last", { span: spanText(preset) })}</span>}
          <span class={preset === null ? "strong" : "time-span"}>
            {rangeSpanText(range.fromMs, range.toMs)}
          </span>
          <span class="time-zone">{offsetText(range.toMs)}</span>
        </button>
        <button
          type="button"
          class="button"
          aria-label={t("time.later")}
          disabled={rangeInUrl.value.to === "now"}
          onClick={() => shift(1)}
        >
          <Icon name="right" />
        </button>
      </div>
      {isOpen.value && <TimeChoices onDone={close} />}
    </div>
  );
}
