import { useCallback, useEffect, useState } from "preact/hooks";
import type { Range } from "../app/time-range.ts";
import { type ApiError, getJson } from "./get-json.ts";
import { untilPageLeft } from "./page-calls.ts";
import { inRange } from "./paths.ts";

/** What is known of one call: the newest data, why the newest attempt failed, and whether one is under way. */
export interface Answer<T> {
  data: T | null;
  error: ApiError | null;
  isBusy: boolean;
  retry: () => void;
}

interface Known<T> {
  path: string | null;
  data: T | null;
  error: ApiError | null;
  isBusy: boolean;
}

/**
 * The answer to `path` in `range` (null: the call has no range; path null: not yet). Data of the same path stays while
 * another range is fetched; another path drops it. Leaving the page aborts the call, so a late reply changes nothing.
 */
export function useAnswer<T>(path: string | null, range: Range | null): Answer<T> {
  const [known, setKnown] = useState<Known<T>>({ path: null, data: null, error: null, isBusy: true });
  const [attempt, setAttempt] = useState(0);
  const url = path === null || range === null ? path : inRange(path, range);
  useEffect(() => {
    if (path === null || url === null) return undefined;
    const abort = new AbortController();
    setKnown((before) =>
      before.path === path ? { ...before, isBusy: true } : { path, data: null, error: null, isBusy: true },
    );
    const signal = untilPageLeft(abort.signal);
    getJson<T>(url, signal).then(
      (data) => {
        if (!signal.aborted) setKnown({ path, data, error: null, isBusy: false });
      },
      (error: ApiError) => {
        if (!signal.aborted) setKnown((before) => ({ ...before, error, isBusy: false }));
      },
    );
    return () => abort.abort();
  }, [path, url, attempt]);
  const retry = useCallback(() => setAttempt((count) => count + 1), []);
  if (known.path !== path) return { data: null, error: null, isBusy: true, retry };
  return { data: known.data, error: known.error, isBusy: known.isBusy, retry };
}
