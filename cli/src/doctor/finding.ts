/** "unseen": this user could not look, or there was nothing to look at; neither good nor bad. */
export type Level = "well" | "warning" | "failure" | "unseen";

/** What one look at one thing found. */
export interface Finding {
  /** The thing: "state folder". */
  readonly what: string;
  readonly level: Level;
  /** A sentence without a full stop; it may hold text from outside. */
  readonly found: string;
  /** A command to type or a setting to change; null where there is nothing to do. */
  readonly remedy: string | null;
}

/** Remedy where only this user could not look. */
export const RUN_AS_ROOT = "run this again with sudo";

export function well(what: string, found: string): Finding {
  return { what, level: "well", found, remedy: null };
}

export function warning(what: string, found: string, remedy: string): Finding {
  return { what, level: "warning", found, remedy };
}

export function failure(what: string, found: string, remedy: string): Finding {
  return { what, level: "failure", found, remedy };
}

export function unseen(what: string, found: string, remedy: string | null = null): Finding {
  return { what, level: "unseen", found, remedy };
}
