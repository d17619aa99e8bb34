import { DEFAULT_RANGE, type RangeText } from "./time-range.ts";

/** Parameters that a link to another page of the console carries along. */
const CARRIED = ["from", "to", "cmp", "live"] as const;

/** The time range of a query string; the default where it says none. */
export function rangeOf(search: URLSearchParams): RangeText {
  return { from: search.get("from") ?? DEFAULT_RANGE.from, to: search.get("to") ?? DEFAULT_RANGE.to };
}

/** `path` with what the current query carries along and `extra` on top; null in `extra` removes. */
export function carriedHref(
  path: string,
  search: URLSearchParams,
  extra: Record<string, string | null> = {},
): string {
  const next = new URLSearchParams();
  for (const name of CARRIED) {
    const value = search.get(name);
    if (value !== null) next.set(name, value);
  }
  return withQuery(path, changed(next, extra));
}

/** The current page with parameters changed; null removes one. */
export function changedHref(
  path: string,
  search: URLSearchParams,
  changes: Record<string, string | null>,
): string {
  return withQuery(path, changed(new URLSearchParams(search), changes));
}

function changed(search: URLSearchParams, changes: Record<string, string | null>): URLSearchParams {
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) search.delete(name);
    else search.set(name, value);
  }
  return search;
}

function withQuery(path: string, search: URLSearchParams): string {
  // Colons and commas need no escape in a query; times stay readable.
  const query = search.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
  return query === "" ? path : `${path}?${query}`;
}

/** The parameter's value where it is one of `allowed`, else the first of them. */
export function choice<T extends string>(
  search: URLSearchParams,
  name: string,
  allowed: readonly [T, ...T[]],
): T {
  const value = search.get(name);
  return allowed.find((candidate) => candidate === value) ?? allowed[0];
}
