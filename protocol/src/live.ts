/** In a HELLO's `features`: the daemon understands WATCH. */
export const LIVE_FEATURE = "live";
/** Longest time that one WATCH lasts; who still looks then asks again. */
export const MAX_WATCH_MS = 60_000;
/** Apps told of in one SECOND; those with fewest requests are left out. */
export const MAX_LIVE_APPS = 100;

/** The collector wants each second of the host as soon as it is over, for so long; 0 ends it. An older daemon ignores it. */
export interface UplinkWatch {
  type: "watch";
  forMs: number;
}

/**
 * A second that was just sampled, for those who look at this moment. It is never stored nor counted: the same second comes
 * in a batch too.
 */
export interface UplinkSecond {
  type: "second";
  tsSec: number;
  /** By names of HOST_METRICS; null or missing where the host does not have it. */
  values: Record<string, number | null>;
  /** Requests that the daemon counted during this second, by app. */
  apps: LiveRequests[];
}

export interface LiveRequests {
  app: string;
  requests: number;
  errors: number;
  sumUs: number;
}

/** Reads a WATCH of a collector; null when it is none. */
export function parseWatch(message: unknown): UplinkWatch | null {
  const watch = message as Partial<UplinkWatch> | null;
  if (watch?.type !== "watch" || typeof watch.forMs !== "number" || !(watch.forMs >= 0)) return null;
  return { type: "watch", forMs: Math.min(watch.forMs, MAX_WATCH_MS) };
}
