import { promises, readFileSync } from "node:fs";
import type { LibrariesReport, LibraryReport } from "@apm-daemon/protocol";

/** Read of a main script, to see whether it is a bundle. */
const MAX_BUNDLE_BYTES = 4_194_304;
/** The app starts first. */
const LOOK_AFTER_MS = 1_000;

/** What bundlers leave in their output, minified or not. */
const BUNDLERS: readonly [name: string, mark: RegExp][] = [
  ["ncc", /__nccwpck_require__/],
  ["webpack", /__webpack_require__|webpackBootstrap/],
  // Minified: ((e={exports:{}}).exports,e). Texts are as long as they like, so nothing in the pattern is.
  ["esbuild", /\b__commonJS\b|\(\([\w$]{1,4}=\{exports:\{\}\}\)\.exports,[\w$]{1,4}\)/],
  ["rollup", /\bgetDefaultExportFromCjs\b|\bgetAugmentedNamespace\b/],
];

/** The libraries that the agent knows, as it found them in this process. For people who miss one. */
export class FoundLibraries {
  readonly #found = new Map<string, LibraryReport>();
  #bundler: string | null = null;
  /** Counts changes of the report. */
  changes = 0;

  get report(): LibrariesReport {
    return { bundler: this.#bundler, found: [...this.#found.values()] };
  }

  /** A file of a library has been loaded, and patched if `isPatched`; `packageFolder` ends in a slash. */
  note(packageFolder: string, isPatched: boolean): void {
    const { name, version } = packageOf(packageFolder);
    if (name === "") return;
    const before = this.#found.get(`${name}@${version}`);
    const state = isPatched && before?.state !== "failed" ? "recorded" : "failed";
    this.#set({ name, version, state });
  }

  /** Looks, later, whether the main script is a bundle, which the loader cannot look into, and which packages it names. */
  lookLater(script: string | undefined, packages: () => readonly string[]): void {
    if (script !== undefined)
      setTimeout(() => void this.#lookInto(script, packages()), LOOK_AFTER_MS).unref();
  }

  async #lookInto(script: string, packages: readonly string[]): Promise<void> {
    const text = await readStart(script);
    const bundler = BUNDLERS.find(([, mark]) => mark.test(text))?.[0];
    if (bundler === undefined) return;
    this.#bundler = bundler;
    this.changes++;
    for (const name of packages)
      if (text.includes(`node_modules/${name}/`)) this.#set({ name, version: "", state: "bundled" });
  }

  #set(library: LibraryReport): void {
    const key = `${library.name}@${library.version}`;
    if (this.#found.get(key)?.state === library.state) return;
    this.#found.set(key, library);
    this.changes++;
  }
}

function packageOf(folder: string): { name: string; version: string } {
  try {
    const { name, version } = JSON.parse(readFileSync(`${folder}package.json`, "utf8")) as Record<
      string,
      unknown
    >;
    return {
      name: typeof name === "string" ? name : "",
      version: typeof version === "string" ? version : "",
    };
  } catch {
    return { name: "", version: "" };
  }
}

async function readStart(file: string): Promise<string> {
  try {
    const handle = await promises.open(file);
    try {
      const { size } = await handle.stat();
      const buffer = Buffer.alloc(Math.min(size, MAX_BUNDLE_BYTES));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
      return buffer.toString("latin1", 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch {
    return "";
  }
}
