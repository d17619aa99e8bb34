import { readFileSync } from "node:fs";
import { basename, dirname, extname, join, resolve, sep } from "node:path";

/** The name of the nearest package.json above the main script, else the script's own name, else "node". */
export function findAppName(script: string | undefined, cwd: string): string {
  if (script === undefined || script === "") return "node";
  for (let folder = findAppFolder(script, cwd); ; folder = dirname(folder)) {
    const name = packageName(join(folder, "package.json"));
    if (name !== "") return name;
    if (folder === dirname(folder)) break;
  }
  return cleanAppName(basename(script, extname(script))) || "node";
}

/** The folder of the main script. */
export function findAppFolder(script: string | undefined, cwd: string): string {
  if (script === undefined || script === "") return cwd;
  const file = resolve(script);
  // Runners such as next or nest are started from node_modules: the app is where they are started.
  return file.includes(`${sep}node_modules${sep}`) ? cwd : dirname(file);
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

function packageName(path: string): string {
  try {
    const { name } = JSON.parse(readFileSync(path, "utf8")) as { name?: unknown };
    return typeof name === "string" ? cleanAppName(name) : "";
  } catch {
    return "";
  }
}
