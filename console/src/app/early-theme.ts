// Runs before anything is painted, as a script of its own that blocks: who chose a theme never sees the system's first. See theme.ts.
import { readPreference } from "./preference.ts";

const choice = readPreference("theme");
if (choice === "light" || choice === "dark") document.documentElement.dataset["theme"] = choice;
