import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const API_PAGE = fileURLToPath(new URL("../../../docs/api.md", import.meta.url));

export interface DocumentedCall {
  method: string;
  /** With `{app}` and the like. */
  path: string;
  /** As the heading names them, "" where it gives no value. */
  query: Record<string, string>;
}

/**
 * Every call below /api that docs/api.md describes. The collector's own tests see to it that these are all there are, so that a new one is
 * attacked as soon as it is registered.
 */
export function documentedCalls(): DocumentedCall[] {
  const headings = readFileSync(API_PAGE, "utf8").matchAll(/^### `([A-Z]+) (\/api\/\S+?)(?:\?(\S*))?`$/gm);
  return [...headings].map(([, method = "", path = "", query = ""]) => ({
    method,
    path,
    query: Object.fromEntries(new URLSearchParams(query)),
  }));
}

/** What stands for the parts of a path where a test has nothing of its own. */
const PARTS: Record<string, string> = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  statement: "0af7651916cd43dd",
};

/** The path with its parts filled in, "x" where nothing is known. */
export function pathOf({ path }: DocumentedCall, parts: Record<string, string> = {}): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(parts[name] ?? PARTS[name] ?? "x"),
  );
}
