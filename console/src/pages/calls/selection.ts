import { changedLink, search } from "../../app/location.ts";

/** The parts of a name that stands in the URL as `sel`, such as system and target; null where none does. */
export function selection(length: number): string[] | null {
  const text = search.value.get("sel");
  if (text === null) return null;
  try {
    const parts: unknown = JSON.parse(text);
    if (!Array.isArray(parts) || parts.length !== length) return null;
    return parts.every((part) => typeof part === "string") ? parts : null;
  } catch {
    return null; // somebody typed it
  }
}

/** The link to this page with that selected; null: with nothing. */
export function selectionLink(parts: readonly string[] | null): string {
  return changedLink({ sel: parts === null ? null : JSON.stringify(parts) });
}
