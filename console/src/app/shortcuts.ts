import { signal } from "@preact/signals";
import { comparison } from "./comparison.ts";
import { LIVE_BUTTON_ID } from "./live.ts";
import {
  changedLink,
  collectorNowMs,
  isZoomed,
  link,
  navigate,
  pageRange,
  rangeInUrl,
  showRange,
} from "./location.ts";
import { TIME_BUTTON_ID } from "./time-picker.tsx";
import { shiftRange, widenRange } from "./time-range.ts";

/** The field that `/` goes to, on pages that have one. */
export const FILTER_ID = "filter";
export const isHelpOpen = signal(false);
const SEQUENCE_MS = 1200;

/** Back to where the zoom began, or twice the range where nothing was zoomed. */
export function zoomOut(): void {
  if (isZoomed()) history.back();
  else showRange(widenRange(pageRange.value, collectorNowMs()));
}

/** Switches the comparison with the day before on or off. */
function toggleComparison(): void {
  navigate(changedLink({ cmp: comparison.value === "none" ? "1d" : null }));
}

const SINGLE_KEYS: Readonly<Record<string, () => void>> = {
  z: zoomOut,
  c: toggleComparison,
  l: () => document.getElementById(LIVE_BUTTON_ID)?.click(),
  t: () => document.getElementById(TIME_BUTTON_ID)?.click(),
  "/": () => document.getElementById(FILTER_ID)?.focus(),
  "?": () => (isHelpOpen.value = true),
  ArrowLeft: () => showRange(shiftRange(pageRange.value, -1, collectorNowMs())),
  ArrowRight: () => {
    if (rangeInUrl.value.to !== "now") showRange(shiftRange(pageRange.value, 1, collectorNowMs()));
  },
};

const GO_KEYS: Readonly<Record<string, () => void>> = {
  h: () => navigate(link({ page: "home" })),
  a: () => navigate(link({ page: "apps" })),
  o: () => navigate(link({ page: "hosts" })),
};

/** Listens for the page's keys; fields and dialogs keep all of theirs, charts the ones they handle. */
export function startShortcuts(): void {
  let goUntilMs = 0;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target))
      return;
    if (event.key === "g") {
      goUntilMs = event.timeStamp + SEQUENCE_MS;
      return;
    }
    const keys = event.timeStamp < goUntilMs ? GO_KEYS : SINGLE_KEYS;
    goUntilMs = 0;
    const action = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
    if (!action) return;
    event.preventDefault();
    action();
  });
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.closest("input, select, textarea, dialog, [role=dialog]") !== null;
}
