import { readFileSync } from "node:fs";
import { basename, dirname, extname, join, resolve, sep } from "node:path";

/** The name of the nearest package.json above the main script, else the script's own name, else "node". */
export function findAppName(script: string | undefined, cwd: string): string {
  if (script === undefined || script === "") return "node";
  return (
    nearest("name", findAppFolder(script, cwd)) || cleanAppName(basename(script, extname(script))) || "node"
  );
}

/** The version of the nearest package.json above the main script that has one, "" for none. */
export function findAppVersion(script: string | undefined, cwd: string): string {
  return script === undefined || script === "" ? "" : nearest("version", findAppFolder(script, cwd));
}

/** The folder of the main script. */
export function findAppFolder(script: string | undefined, cwd: string): string {
  if (script === undefined || script === "") return cwd;
  const file = resolve(script);
  // Runners such as next or nest are started from node_modules: the app is where they are started.
  return file.includes(`${sep}node_modules${sep}`) ? cwd : dirname(file);
}

/** The first of the package.json files from a folder upwards that says it. */
function nearest(field: "name" | "version", from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const value = packageField(join(folder, "package.json"), field);
    if (value !== "" || folder === dirname(folder)) return value;
  }
}

/**
 * A name that the protocol takes and that an address can carry: 1 to 255 characters without control characters, not "." or
 * ".."; "" when nothing is left.
 */
export function cleanAppName(name: string): string {
  const clean = name
    .replace(/\p{Cc}/gu, "")
    .trim()
    .slice(0, 255)
    // A cut through a pair of surrogates would leave half a character.
    .replace(/[\uD800-\uDBFF]$/, "");
  return clean === "." || clean === ".." ? "" : clean;
}

function packageField(path: string, field: "name" | "version"): string {
  try {
    const { [field]: value } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    return typeof value === "string" ? cleanAppName(value) : "";
  } catch {
    return "";
  }
}
