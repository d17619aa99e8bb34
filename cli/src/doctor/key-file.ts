import { readFileSync, type Stats, statSync } from "node:fs";

/** The license key file as this user finds it. */
export interface KeyReading {
  readonly file: string | null;
  readonly stat: Stats | null;
  /** Why the file could not be read, a code of the system; null when it was. */
  readonly refusal: string | null;
  /** Never to be shown. Null when there is none. */
  readonly key: string | null;
}

/** Never throws. */
export function readKeyFile(file: string | null): KeyReading {
  if (file === null) return { file, stat: null, refusal: null, key: null };
  let stat: Stats | null = null;
  try {
    stat = statSync(file);
    const key = readFileSync(file, "utf8").trim();
    return { file, stat, refusal: null, key: /^[\w.~+/=-]{16,512}$/.test(key) ? key : null };
  } catch (error) {
    return { file, stat, refusal: (error as NodeJS.ErrnoException).code ?? "unknown", key: null };
  }
}
