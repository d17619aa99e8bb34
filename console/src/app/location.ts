import { computed, signal } from "@preact/signals";
import { leavePage } from "../data/page-calls.ts";
import { parseRoute, type Route, routePath } from "./routes.ts";
import { DEFAULT_RANGE, endsInNow, type Range, type RangeText, resolveRange } from "./time-range.ts";
import { carriedHref, changedHref, rangeOf } from "./url-state.ts";

/** How many brushed zooms lie behind this history entry. */
interface EntryState {
  zooms: number;
}

function entryState(): EntryState {
  const state = history.state as Partial<EntryState> | null;
  return { zooms: typeof state?.zooms === "number" ? state.zooms : 0 };
}

const address = signal(new URL(window.location.href));
/** The clock that `now` in the URL means; it moves with navigation and refresh only, so that one page has one range. */
export const pageNowMs = signal(Date.now());
/** Collector's clock minus this browser's, where they differ by more than a network round trip. */
export const clockOffsetMs = signal(0);

export const search = computed(() => address.value.searchParams);
export const route = computed<Route>(() => parseRoute(address.value.pathname));
export const rangeInUrl = computed<RangeText>(() => rangeOf(search.value));
const resolved = computed(() => resolveRange(rangeInUrl.value, pageNowMs.value));
/** Whether the URL names a range that cannot be shown. */
export const isRangeRefused = computed(() => resolved.value === null);
const shownRange = computed<RangeText>(() => (resolved.value === null ? DEFAULT_RANGE : rangeInUrl.value));
export const isLive = computed(() => endsInNow(shownRange.value));

export const pageRange = computed<Range>(() => {
  const fallback = { fromMs: pageNowMs.value - 1_800_000, toMs: pageNowMs.value };
  return resolved.value ?? fallback;
});

/** The collector's time now, Unix ms. */
export function collectorNowMs(): number {
  return Date.now() + clockOffsetMs.value;
}

function show(href: string): void {
  const before = address.value.pathname;
  const next = new URL(href, window.location.origin);
  if (next.pathname !== before) leavePage();
  pageNowMs.value = collectorNowMs();
  address.value = next;
  if (next.pathname !== before) window.scrollTo(0, 0);
}

/** Opens a page of the console as a new history entry. */
export function navigate(href: string): void {
  history.pushState({ zooms: 0 } satisfies EntryState, "", href);
  show(href);
}

/** Changes parameters of this page in place: no history entry. */
export function replaceParameters(changes: Record<string, string | null>): void {
  const href = changedHref(address.value.pathname, search.value, changes);
  history.replaceState(entryState(), "", href);
  address.value = new URL(href, window.location.origin);
}

/** The link to another page, time range carried along. */
export function link(
  target: Exclude<Route, { page: "unknown" }>,
  extra: Record<string, string | null> = {},
): string {
  return carriedHref(routePath(target), search.value, extra);
}

/** The link to this page with parameters changed. */
export function changedLink(changes: Record<string, string | null>): string {
  return changedHref(address.value.pathname, search.value, changes);
}

/** Shows another range on this page, which ends live mode; one history entry. */
export function showRange(range: RangeText, isZoom = false): void {
  const href = changedLink({ from: range.from, to: range.to, live: null });
  history.pushState({ zooms: isZoom ? entryState().zooms + 1 : 0 } satisfies EntryState, "", href);
  show(href);
}

/** Whether the last step on this page was a brushed zoom, which `back` undoes. */
export function isZoomed(): boolean {
  return entryState().zooms > 0;
}

/** Follows the browser's own back and forward, and clicks on links inside the console. */
export function startLocation(): void {
  window.addEventListener("popstate", () => show(window.location.href));
  document.addEventListener("click", (event) => {
    const anchor = event.target instanceof Element ? event.target.closest("a") : null;
    const isPlain =
      event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (
      !anchor ||
      !isPlain ||
      event.defaultPrevented ||
      anchor.hasAttribute("download") ||
      anchor.target !== ""
    )
      return;
    if (anchor.origin !== window.location.origin || anchor.getAttribute("href")?.startsWith("#")) return;
    event.preventDefault();
    navigate(anchor.pathname + anchor.search);
  });
}
