import { addTexts } from "../translate.ts";

export const keys = {
  "keys.title": "Keyboard shortcuts",
  "keys.home": "Go to Home",
  "keys.app": "Go to Apps",
  "keys.hosts": "Go to Hosts",
  "keys.time": "Choose the time range",
  "keys.shift": "Earlier or later period",
  "keys.zoomOut": "Zoom out",
  "keys.compare": "Compare on or off",
  "keys.live": "Live mode on or off",
  "keys.drill": "On a chart: zoom into the selection, or show the traces at the cursor",
  "keys.search": "Filter the table",
  "keys.close": "Close",
} as const;

addTexts(keys, async () => (await import("../zh/keys.ts")).keys);
