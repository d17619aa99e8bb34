import { readFileSync } from "node:fs";
import Module from "node:module";
import type { AgentLog } from "../agent-log.ts";
import { preloadEsModules } from "./es-module-preload.ts";
import { FoundLibraries } from "./found-libraries.ts";
import type { Patches } from "./patches.ts";

type Extension = (module: { exports: unknown }, filename: string) => void;

/** The parts of Node's CommonJS loader that are used here; public by long custom, not by documentation. */
interface CommonJsLoader {
  readonly _extensions: Record<string, Extension>;
  readonly _cache: Record<string, { exports: unknown } | undefined>;
}

/**
 * Calls back when a file of a library has been loaded, with its exports, to be patched in place. One wrapper around
 * the loader of CommonJS files serves CommonJS and ESM apps alike: most libraries are CommonJS, and Node loads them through
 * this function also when they are imported. So no loader thread and no module.register are needed. The few that are ES
 * modules are brought to pass here as well, see es-module-preload.ts.
 */
export class LibraryHook {
  readonly #loader = Module as unknown as CommonJsLoader;
  readonly #log: AgentLog;
  readonly #handlers = new Map<string, (exports: unknown) => void>();
  readonly #modules = new Map<string, Set<string>>();
  /** The watched paths without their package: where to look closer at packages that npm installed under another name. */
  readonly #innerPaths = new Set<string>();
  readonly #seen = new WeakSet<object>();
  readonly #appFolder: string;
  readonly found: FoundLibraries = new FoundLibraries();

  /** `appFolder` is where the app's main script is. */
  constructor(log: AgentLog, appFolder: string) {
    this.#log = log;
    this.#appFolder = appFolder;
  }

  /** `file` is a path below node_modules, e.g. "pg/lib/client.js". */
  onLoad(file: string, handle: (exports: unknown) => void): void {
    this.#handlers.set(file, handle);
    this.#innerPaths.add(splitPackage(file).inner);
  }

  /** For a file of a library that is, or in some releases is, an ES module: `entry` and `file` are paths in the library. */
  onLoadModule(library: string, entry: string, file: string, handle: (exports: unknown) => void): void {
    this.onLoad(`${library}/${file}`, handle);
    const files = this.#modules.get(library) ?? new Set([entry]);
    this.#modules.set(library, files.add(file));
  }

  /** Names of the packages that are watched for. */
  get packages(): string[] {
    return [...new Set([...this.#handlers.keys()].map((file) => splitPackage(file).name))];
  }

  /** Watches from now on, and handles what is loaded already. */
  install(patches: Patches): void {
    const extensions = this.#loader._extensions;
    const original = extensions[".js"];
    if (original === undefined) return;
    const handle = (filename: string, exports: unknown): void => this.#handle(filename, exports);
    const wrapped: Extension = function (this: unknown, module, filename) {
      Reflect.apply(original, this, [module, filename]);
      handle(filename, module.exports);
    };
    extensions[".js"] = wrapped;
    patches.onUndo(() => {
      if (extensions[".js"] === wrapped) extensions[".js"] = original;
    });
    for (const [filename, module] of Object.entries(this.#loader._cache))
      this.#handle(filename, module?.exports);
    preloadEsModules(this.#appFolder, this.#modules, (library) =>
      this.#log.sayOnce(library, `this Node does not show ${library} to the agent: its part is not recorded`),
    );
  }

  #handle(filename: string, exports: unknown): void {
    const start = filename.lastIndexOf("node_modules");
    if (start === -1) return;
    const file = filename.slice(start + "node_modules/".length).replaceAll("\\", "/");
    const handler = this.#handlers.get(file) ?? this.#handlerOfAlias(filename, file);
    if (
      handler === undefined ||
      (typeof exports !== "object" && typeof exports !== "function") ||
      exports === null
    )
      return;
    if (this.#seen.has(exports)) return;
    this.#seen.add(exports);
    const packageFolder = filename.slice(
      0,
      filename.length - file.length + splitPackage(file).name.length + 1,
    );
    try {
      handler(exports);
      this.found.note(packageFolder, true);
    } catch (error) {
      this.#log.internalError(`patching ${file}`, error);
      this.found.note(packageFolder, false);
    }
  }

  /** For "ioredis5": "npm:ioredis@5" in a package.json: the folder has the alias, the package in it its own name. */
  #handlerOfAlias(filename: string, file: string): ((exports: unknown) => void) | undefined {
    const { name, inner } = splitPackage(file);
    if (!this.#innerPaths.has(inner) || inner === "") return undefined;
    const ownName = packageName(`${filename.slice(0, filename.length - inner.length)}package.json`);
    return ownName === name ? undefined : this.#handlers.get(`${ownName}/${inner}`);
  }
}

function splitPackage(file: string): { name: string; inner: string } {
  const [name = ""] = /^(?:@[^/]+\/)?[^/]+/.exec(file) ?? [];
  return { name, inner: file.slice(name.length + 1) };
}

function packageName(path: string): string {
  try {
    return String((JSON.parse(readFileSync(path, "utf8")) as { name?: unknown }).name);
  } catch {
    return "";
  }
}
