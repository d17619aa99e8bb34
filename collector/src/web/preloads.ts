import { readFile } from "node:fs/promises";

/** What the console's build says that a page loads at once. */
interface Preload {
  /** Of a page; a part that is "*" is any one part. */
  path: string;
  /** Scripts, as paths of this server. */
  files: string[];
}

/** Names in a page's head the scripts that it will ask for, so that they come all at once. */
export class Preloads {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** "" for a path that is no page's, and when the build has none: pages load without. */
  async linksFor(path: string): Promise<string> {
    const preloads = await this.#read();
    const files = preloads.find((one) => isLike(one.path, path))?.files ?? [];
    return files.map((file) => `<link rel="modulepreload" fetchpriority="low" href="${file}" />`).join("");
  }

  /** Each time: a build may replace it while the collector runs. */
  async #read(): Promise<readonly Preload[]> {
    try {
      return JSON.parse(await readFile(this.#file, "utf8")) as Preload[];
    } catch {
      return [];
    }
  }
}

function isLike(pattern: string, path: string): boolean {
  const [wanted, found] = [partsOf(pattern), partsOf(path)];
  return wanted.length === found.length && wanted.every((part, i) => part === "*" || part === found[i]);
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}
