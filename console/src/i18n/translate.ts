import { signal } from "@preact/signals";
import { keepPreference, readPreference } from "../app/preference.ts";
import { common } from "./en/common.ts";
import type { MessageKey } from "./message-key.ts";

export type Language = "en" | "zh";
export type { MessageKey } from "./message-key.ts";

type Texts = Readonly<Record<string, string>>;

/** The language of the page; whoever reads it is drawn again when it changes. */
export const language = signal<Language>("en");
/** Loads the Chinese texts of each part that is loaded. */
const loadersOfZh: (() => Promise<Texts>)[] = [async () => (await import("./zh/common.ts")).common];
const english: Record<string, string> = { ...common };
const texts = signal<Texts>(english);
/** The language that the page is to have once its texts are there. */
let wanted: Language = "en";

function preferredLanguage(): Language {
  const kept = readPreference("language");
  if (kept === "en" || kept === "zh") return kept;
  return navigator.language.startsWith("zh") ? "zh" : "en";
}

/** English comes with the code, other languages when they are wanted. */
async function load(): Promise<Texts> {
  if (wanted === "en") return english;
  const known = loadersOfZh.length;
  const all = Object.assign({}, ...(await Promise.all(loadersOfZh.map((loadZh) => loadZh()))));
  return loadersOfZh.length === known ? all : load(); // a page came meanwhile, with texts of its own
}

/** Resolves when the texts of all that is loaded are there in the wanted language. */
export async function textsLoaded(): Promise<void> {
  try {
    const loaded = await load();
    texts.value = loaded;
    language.value = wanted;
  } catch {
    // The texts did not arrive: what has none in this language is shown in English.
  }
}

/** Adds the texts of a part of the console whose code was just loaded; `textsLoaded` fetches their translation. */
export function addTexts(en: Texts, loadZh: () => Promise<Texts>): void {
  loadersOfZh.push(loadZh);
  Object.assign(english, en);
}

/** Sets the language that this browser prefers; resolves when its texts are there. */
export async function startLanguage(): Promise<void> {
  wanted = preferredLanguage();
  await textsLoaded();
}

/** Changes the language and keeps the choice in this browser. */
export async function chooseLanguage(chosen: Language): Promise<void> {
  keepPreference("language", chosen);
  wanted = chosen;
  await textsLoaded();
}

/** Whether there is a text of this name. */
export function isMessageKey(key: string): key is MessageKey {
  return Object.hasOwn(english, key);
}

/** The text of `key` in the current language with `{name}` replaced by `values.name`. */
export function t(key: MessageKey, values: Readonly<Record<string, string | number>> = {}): string {
  const text = texts.value[key] ?? english[key] ?? key;
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
