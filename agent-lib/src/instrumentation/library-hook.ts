import Module from "node:module";
import type { AgentLog } from "../agent-log.ts";
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
 * the loader of CommonJS files serves CommonJS and ESM apps alike: the libraries in question are CommonJS, and Node
 * loads them through this function also when they are imported. So no loader thread and no module.register are needed.
 */
export class LibraryHook {
  readonly #loader = Module as unknown as CommonJsLoader;
  readonly #log: AgentLog;
  readonly #handlers = new Map<string, (exports: unknown) => void>();
  readonly #seen = new WeakSet<object>();
  readonly found: FoundLibraries = new FoundLibraries();

  constructor(log: AgentLog) {
    this.#log = log;
  }

  /** `file` is a path below node_modules, e.g. "pg/lib/client.js". */
  onLoad(file: string, handle: (exports: unknown) => void): void {
    this.#handlers.set(file, handle);
  }

  /** Names of the packages that are watched for. */
  get packages(): string[] {
    return [...new Set([...this.#handlers.keys()].map(packageNameOf))];
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
  }

  #handle(filename: string, exports: unknown): void {
    const start = filename.lastIndexOf("node_modules");
    if (start === -1) return;
    const file = filename.slice(start + "node_modules/".length).replaceAll("\\", "/");
    const handler = this.#handlers.get(file);
    if (
      handler === undefined ||
      (typeof exports !== "object" && typeof exports !== "function") ||
      exports === null
    )
      return;
    if (this.#seen.has(exports)) return;
    this.#seen.add(exports);
    const packageFolder = filename.slice(0, filename.length - file.length + packageNameOf(file).length + 1);
    try {
      handler(exports);
      this.found.note(packageFolder, true);
    } catch (error) {
      this.#log.internalError(`patching ${file}`, error);
      this.found.note(packageFolder, false);
    }
  }
}

function packageNameOf(file: string): string {
  return /^(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? "";
}
