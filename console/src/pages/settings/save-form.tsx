import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import type { ApiError } from "../../data/get-json.ts";
import { sendJson } from "../../data/send-json.ts";
import { t } from "../../i18n/translate.ts";
import { errorText } from "../../ui/states.tsx";
import "../../i18n/en/settings.ts";

const MAX_MS = 600_000;

/** A field for milliseconds; empty means that nothing is set. */
export function MsField(props: {
  label: string;
  value: string;
  hint?: string;
  onValue: (value: string) => void;
}): JSX.Element {
  return (
    <label class="setting">
      <span class="setting-label">{props.label}</span>
      <input
        class="field"
        type="number"
        inputMode="numeric"
        min={1}
        max={MAX_MS}
        step={1}
        placeholder={t("settings.unset")}
        value={props.value}
        onInput={(event) => props.onValue(event.currentTarget.value)}
      />
      {props.hint !== undefined && <span class="note">{props.hint}</span>}
    </label>
  );
}

/** Milliseconds of a field, undefined where it is empty; null where it is no such number. */
export function msOf(text: string): number | undefined | null {
  if (text.trim() === "") return undefined;
  const ms = Number(text);
  return Number.isInteger(ms) && ms >= 1 && ms <= MAX_MS ? ms : null;
}

/** Fields with a button that sends them, and what came of it. `body` is null while a field is wrong. */
export function SaveForm(props: {
  label: string;
  url: string;
  body: object | null;
  isChanged: boolean;
  onSaved: () => void;
  children: ComponentChildren;
}): JSX.Element {
  const said = useSignal<{ text: string; isBad: boolean }>({ text: "", isBad: false });
  const isBusy = useSignal(false);
  const save = async (): Promise<void> => {
    if (props.body === null || isBusy.value) return;
    isBusy.value = true;
    try {
      await sendJson("PUT", props.url, props.body);
      said.value = { text: t("settings.saved"), isBad: false };
      props.onSaved();
    } catch (error) {
      said.value = { text: errorText(error as ApiError), isBad: true };
    }
    isBusy.value = false;
  };
  const message = props.body === null ? { text: t("settings.badMs"), isBad: true } : said.value;
  return (
    <form
      class="setting-row"
      aria-label={props.label}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {props.children}
      <button type="submit" class="button" disabled={!props.isChanged || props.body === null || isBusy.value}>
        {t("settings.save")}
      </button>
      <span class={message.isBad ? "field-error" : "note"} role="status">
        {message.text}
      </span>
    </form>
  );
}
