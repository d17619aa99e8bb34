import { effect, signal } from "@preact/signals";
import { keepPreference, readPreference } from "./preference.ts";

export type ThemeChoice = "auto" | "light" | "dark";
export type Theme = "light" | "dark";
const darkSystem = window.matchMedia("(prefers-color-scheme: dark)");

function storedChoice(): ThemeChoice {
  const stored = readPreference("theme");
  return stored === "light" || stored === "dark" ? stored : "auto";
}

export const themeChoice = signal<ThemeChoice>(storedChoice());
/** The theme in force; charts are drawn again when it changes. */
export const theme = signal<Theme>("light");

/** Changes the theme and keeps the choice in this browser. */
export function chooseTheme(choice: ThemeChoice): void {
  keepPreference("theme", choice === "auto" ? null : choice);
  themeChoice.value = choice;
}

/** Follows the choice and, without one, the system. */
export function startTheme(): void {
  const apply = (): void => {
    const choice = themeChoice.value;
    const next: Theme = choice === "auto" ? (darkSystem.matches ? "dark" : "light") : choice;
    document.documentElement.dataset["theme"] = next;
    theme.value = next;
  };
  effect(apply);
  darkSystem.addEventListener("change", apply);
}
