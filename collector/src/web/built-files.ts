import { readdirSync } from "node:fs";
import * as path from "node:path";

const LIST_AGAIN_MS = 1_000;

/**
 * The addresses of the files in a folder. An address from the network is looked up here and becomes a path only when it is one of
 * them; a folder that was built anew is listed again, at most once a second.
 */
export class BuiltFiles {
  readonly #root: string;
  readonly #monoMs: () => number;
  #addresses: ReadonlySet<string>;
  #listedMonoMs: number;

  constructor(root: string, monoMs: () => number) {
    this.#root = root;
    this.#monoMs = monoMs;
    this.#listedMonoMs = monoMs();
    this.#addresses = addressesIn(root);
  }

  has(address: string): boolean {
    if (address === "/" || this.#addresses.has(address)) return true;
    if (this.#monoMs() - this.#listedMonoMs < LIST_AGAIN_MS) return false;
    this.#listedMonoMs = this.#monoMs();
    this.#addresses = addressesIn(this.#root);
    return this.#addresses.has(address);
  }
}

/** "/assets/main.js" for each file below the folder. */
function addressesIn(root: string): Set<string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Set(
    files.map((file) => {
      const relative = path.relative(root, path.join(file.parentPath, file.name));
      return `/${relative.split(path.sep).join("/")}`;
    }),
  );
}
