import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n/translate.ts";
import { spanText } from "../ui/ago-text.ts";
import { fieldText, offsetText, unixMsOfField } from "../ui/time-text.ts";
import { collectorNowMs, pageRange, rangeInUrl, showRange } from "./location.ts";
import { PRESETS, presetOf, rangeText, resolveRange, SHORTEST_CURVE_MS } from "./time-range.ts";

/** Presets and a custom range, opened by the time picker. */
export function TimeChoices({ onDone }: { onDone: () => void }): JSX.Element {
  const range = pageRange.value;
  const from = useSignal(fieldText(range.fromMs));
  const to = useSignal(fieldText(range.toMs));
  const isInvalid = useSignal(false);
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);
  const current = presetOf(rangeInUrl.value);
  const applyCustom = (event: SubmitEvent): void => {
    event.preventDefault();
    const custom = { fromMs: unixMsOfField(from.value), toMs: unixMsOfField(to.value) };
    isInvalid.value = !(custom.toMs - custom.fromMs >= SHORTEST_CURVE_MS);
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
            {spanText(preset)}
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
