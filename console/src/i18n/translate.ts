import { signal } from "@preact/signals";
import { keepPreference, readPreference } from "../app/preference.ts";
import { en, type MessageKey } from "./en.ts";

export type Language = "en" | "zh";
export type { MessageKey } from "./en.ts";

type Texts = Readonly<Record<MessageKey, string>>;

/** The language of the page; whoever reads it is drawn again when it changes. */
export const language = signal<Language>("en");
const texts = signal<Texts>(en);

function preferredLanguage(): Language {
  const kept = readPreference("language");
  if (kept === "en" || kept === "zh") return kept;
  return navigator.language.startsWith("zh") ? "zh" : "en";
}

/** English comes with the page, other languages when they are wanted. */
async function load(wanted: Language): Promise<Texts> {
  return wanted === "zh" ? (await import("./zh.ts")).zh : en;
}

async function speak(wanted: Language): Promise<void> {
  try {
    texts.value = await load(wanted);
    language.value = wanted;
  } catch {
    // The texts did not arrive: the page stays in the language it has.
  }
}

/** Sets the language that this browser prefers; resolves when its texts are there. */
export async function startLanguage(): Promise<void> {
  await speak(preferredLanguage());
}

/** Changes the language and keeps the choice in this browser. */
export async function chooseLanguage(wanted: Language): Promise<void> {
  keepPreference("language", wanted);
  await speak(wanted);
}

/** The text of `key` in the current language with `{name}` replaced by `values.name`. */
export function t(key: MessageKey, values: Readonly<Record<string, string | number>> = {}): string {
  return texts.value[key].replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
