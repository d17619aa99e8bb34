import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n/translate.ts";
import { Icon } from "../ui/icon.tsx";
import { fieldText, offsetText, rangeSpanText } from "../ui/time-text.ts";
import { collectorNowMs, pageRange, rangeInUrl, showRange } from "./location.ts";
import { PRESETS, presetOf, rangeText, resolveRange, SHORTEST_RANGE_MS, shiftRange } from "./time-range.ts";

/** `t` opens the picker from anywhere. */
export const TIME_BUTTON_ID = "time-range";

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
          aria-label={`${t("time.pick")}: ${preset === null ? "" : t("time.last", { span: preset })} ${rangeSpanText(range.fromMs, range.toMs)}`}
          onClick={() => (isOpen.value = !isOpen.value)}
        >
          {preset !== null && <span class="strong">{t("time.last", { span: preset })}</span>}
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
      {isOpen.value && <Choices onDone={close} />}
    </div>
  );
}

function Choices({ onDone }: { onDone: () => void }): JSX.Element {
  const range = pageRange.value;
  const from = useSignal(fieldText(range.fromMs));
  const to = useSignal(fieldText(range.toMs));
  const isInvalid = useSignal(false);
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);
  const current = presetOf(rangeInUrl.value);
  const applyCustom = (event: SubmitEvent): void => {
    event.preventDefault();
    const custom = { fromMs: Date.parse(from.value), toMs: Date.parse(to.value) };
    isInvalid.value = !(custom.toMs - custom.fromMs >= SHORTEST_RANGE_MS);
    if (isInvalid.value) return;
    const wanted = rangeText(custom);
    isInvalid.value = resolveRange(wanted, collectorNowMs()) === null;
    if (isInvalid.value) return;
    showRange(wanted);
    onDone();
  };
  return (
    <div class="popover" role="dialog" aria-label={t("time.pick")}>
      <div class="presets">
        {PRESETS.map((preset, index) => (
          <button
            type="button"
            key={preset}
            ref={index === 0 ? first : null}
            class="button"
            aria-pressed={preset === current}
            onClick={() => {
              showRange({ from: `now-${preset}`, to: "now" });
              onDone();
            }}
          >
            {preset}
          </button>
        ))}
      </div>
      <form class="custom-range" onSubmit={applyCustom} noValidate>
        <p class="strong">
          {t("time.custom")} <span class="note">{offsetText(range.toMs)}</span>
        </p>
        <label>
          {t("time.from")}
          <input
            type="datetime-local"
            step="1"
            value={from.value}
            onInput={(event) => (from.value = event.currentTarget.value)}
          />
        </label>
        <label>
          {t("time.to")}
          <input
            type="datetime-local"
            step="1"
            value={to.value}
            onInput={(event) => (to.value = event.currentTarget.value)}
          />
        </label>
        {isInvalid.value && (
          <p class="field-error" role="alert">
            {t("time.invalid")}
          </p>
        )}
        <button type="submit" class="button button-main">
          {t("time.apply")}
        </button>
      </form>
    </div>
  );
}
