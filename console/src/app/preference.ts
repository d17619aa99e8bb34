/** A choice kept in this browser; null where there is none or the browser keeps nothing. */
export function readPreference(name: string): string | null {
  try {
    return localStorage.getItem(`apm.${name}`);
  } catch {
    return null; // storage is forbidden: the choice lasts until the page is left
  }
}

/** Keeps a choice in this browser where that is allowed; null forgets it. */
export function keepPreference(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`apm.${name}`);
    else localStorage.setItem(`apm.${name}`, value);
  } catch {
    // storage is forbidden: the choice lasts until the page is left
  }
}
