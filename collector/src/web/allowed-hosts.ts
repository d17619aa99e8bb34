import { isIP } from "node:net";

/**
 * The names by which browsers may call this collector. Without a log-in, a foreign page could otherwise read
 * everything: it lets its own name point here (DNS rebinding), but the Host header still says that name.
 */
export class AllowedHosts {
  readonly #names: ReadonlySet<string>;

  /** `names` are hosts as in a URL; their ports do not matter. */
  constructor(names: readonly string[]) {
    this.#names = new Set(names.map(nameIn).filter((name) => name !== null));
  }

  /** Whether this Host header is an IP address, localhost or one of the names; the port does not matter. */
  accepts(hostHeader: string | undefined): boolean {
    const name = nameIn(hostHeader ?? "");
    if (name === null) return false;
    if (isIP(name.replace(/^\[|\]$/g, "")) !== 0) return true;
    return name === "localhost" || name.endsWith(".localhost") || this.#names.has(name);
  }
}

/** The host in the form that URLs have: lower case, IPv6 in brackets; null when it is none. */
function nameIn(host: string): string | null {
  if (/[/?#@\\\s]/.test(host)) return null;
  if (!URL.canParse(`http://${host}`)) return null;
  return new URL(`http://${host}`).hostname.replace(/\.$/, "");
}
