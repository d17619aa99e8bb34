/**
 * Reaches ES modules of libraries, which Node loads past the CommonJS loader that LibraryHook watches.
 *
 * Node 20.19, 22.12 and later can `require` an ES module. It goes into the same cache as what is imported, so a library's
 * file that is required here, before the app, is the one the app gets; LibraryHook sees it on the way. This costs the few
 * milliseconds in which the app would load the file anyway, and only where the app depends on the library. A library's entry
 * always comes first: inner files may rely on what it has set up, and a module that failed once stays failed for the app.
 *
 * The other ways cost more: module.register starts a thread (the only way on Node 20), module.registerHooks (Node 22.15)
 * puts a function into the loading of every file, and changes which loader CommonJS files come from when imported.
 * What this way does not reach: copies of a library that the app does not depend on itself.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

interface Package {
  readonly type?: string;
  readonly [kind: string]: unknown;
}

/** Not those for development: their libraries rarely run in what is started beside them. */
const KINDS = ["dependencies", "optionalDependencies", "peerDependencies"];

/** Requires files of those libraries that a package.json above the app's folder depends on and that are ES modules. */
export function preloadEsModules(
  appFolder: string,
  files: ReadonlyMap<string, ReadonlySet<string>>,
  onFailure: (library: string, error: unknown) => void,
): void {
  const missing = new Set(files.keys());
  for (let folder = appFolder; missing.size > 0; folder = dirname(folder)) {
    const app = readPackage(folder);
    for (const library of app === null ? [] : missing) {
      if (!KINDS.some((kind) => Object.hasOwn(Object(app?.[kind]), library))) continue;
      missing.delete(library);
      try {
        preload(folder, library, files.get(library) ?? new Set());
      } catch (error) {
        onFailure(library, error);
      }
    }
    if (folder === dirname(folder)) break;
  }
}

function preload(appFolder: string, library: string, files: ReadonlySet<string>): void {
  // Not resolved by name: a package's "exports" may hide its inner files.
  for (let folder = appFolder; ; folder = dirname(folder)) {
    const place = join(folder, "node_modules", library);
    const found = readPackage(place);
    if (found !== null) {
      if (found.type !== "module") return;
      const require = createRequire(join(place, "package.json"));
      for (const file of files) if (existsSync(join(place, file))) require(join(place, file));
      return;
    }
    if (folder === dirname(folder)) return;
  }
}

function readPackage(folder: string): Package | null {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Package;
  } catch {
    return null;
  }
}
