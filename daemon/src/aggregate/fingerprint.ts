import { createHash } from "node:crypto";

/**
 * What a statement is known by: 16 hex digits of the hash of its system and its text as recorded, so the same wherever and
 * whenever it runs. "" for no text. Costs 2 µs: ask once for each distinct statement, not for each call.
 */
export function fingerprintOf(system: string, statement: string): string {
  return statement === ""
    ? ""
    : createHash("sha256").update(`${system}\n${statement}`).digest("hex").slice(0, 16);
}
