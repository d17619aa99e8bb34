import { hostname, networkInterfaces } from "node:os";

const REFRESH_MS = 60_000;

/** Knows which addresses of calls are on this host. */
export class LocalTargets {
  #names: ReadonlySet<string> = new Set();
  #readMonoMs = Number.NEGATIVE_INFINITY;

  /** Reads the interfaces again when a minute has passed. */
  refresh(monoMs: number): void {
    if (monoMs - this.#readMonoMs < REFRESH_MS) return;
    this.#readMonoMs = monoMs;
    const addresses = Object.values(networkInterfaces()).flatMap((list = []) =>
      list.map(({ address }) => address),
    );
    this.#names = new Set(["localhost", hostname(), ...addresses]);
  }

  /** A host with or without a port, or the path of a socket. An unknown place is elsewhere. */
  has(target: string): boolean {
    if (target.startsWith("/")) return true;
    const host = target.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
    return host.startsWith("127.") || host === "::1" || this.#names.has(host);
  }
}
