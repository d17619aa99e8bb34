import "./app/every-page.ts";
import { render } from "preact";
import { startLocation } from "./app/location.ts";
import { startRefresh } from "./app/refresh.ts";
import { startServerState } from "./app/server-state.ts";
import { Shell } from "./app/shell.tsx";
import { startShortcuts } from "./app/shortcuts.ts";
import { startTheme } from "./app/theme.ts";
import { startLanguage } from "./i18n/translate.ts";

const root = document.getElementById("root");
if (root) {
  startTheme();
  startLocation();
  startServerState();
  startRefresh();
  startShortcuts();
  await startLanguage();
  root.replaceChildren();
  render(<Shell />, root);
}
