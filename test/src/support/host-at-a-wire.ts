import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Cleanup } from "./cleanup.ts";
import { findProgram } from "./parts.ts";

/**
 * A network namespace that a pair of virtual interfaces joins with this one: two hosts and a wire, which can be made to swallow
 * every packet, so that neither side hears of the other's end. Needs root, iproute2 and nftables.
 */
export class HostAtAWire {
  readonly #name: string;
  readonly #subnet: string;

  private constructor(name: string, subnet: string) {
    this.#name = name;
    this.#subnet = subnet;
  }

  static make(cleanup: Cleanup): HostAtAWire {
    const [a = 0, b = 0] = randomBytes(2);
    // A subnet of the range for tests of network devices (RFC 2544), which no network uses.
    const host = new HostAtAWire(`apm${a.toString(16)}${b.toString(16)}`, `198.18.${a}.${b & 0xfc}`);
    host.#build(cleanup);
    return host;
  }

  /** The address of this side of the wire. */
  get outerAddress(): string {
    return address(this.#subnet, 1);
  }

  /** The address of that host. */
  get innerAddress(): string {
    return address(this.#subnet, 2);
  }

  /** What stands before a command to run it on that host. */
  get enter(): string[] {
    return [program("ip"), "netns", "exec", this.#name];
  }

  /** From now on no packet comes or goes, and nobody is told. */
  dropAll(): void {
    this.#inside("nft", "add", "table", "inet", "wire");
    for (const hook of ["input", "output"]) {
      const chain = `{ type filter hook ${hook} priority 0; policy drop; }`;
      this.#inside("nft", "add", "chain", "inet", "wire", hook, chain);
    }
  }

  /** From now on so many of a hundred packets that come there are lost. */
  loseSome(percent: number): void {
    this.#inside("nft", "add", "table", "inet", "wire");
    this.#inside("nft", "add", "chain", "inet", "wire", "input", "{ type filter hook input priority 0; }");
    const some = ["numgen", "random", "mod", "100", "<", String(percent)];
    this.#inside("nft", "add", "rule", "inet", "wire", "input", ...some, "drop");
  }

  heal(): void {
    this.#inside("nft", "delete", "table", "inet", "wire");
  }

  #build(cleanup: Cleanup): void {
    const outer = `${this.#name}o`;
    ip("netns", "add", this.#name);
    cleanup.add(() => ip("netns", "delete", this.#name));
    ip("link", "add", outer, "type", "veth", "peer", "name", "wire", "netns", this.#name);
    ip("addr", "add", `${this.outerAddress}/30`, "dev", outer);
    ip("link", "set", outer, "up");
    this.#inside("ip", "addr", "add", `${this.innerAddress}/30`, "dev", "wire");
    this.#inside("ip", "link", "set", "wire", "up");
    this.#inside("ip", "link", "set", "lo", "up");
  }

  #inside(name: string, ...args: string[]): void {
    ip("netns", "exec", this.#name, program(name), ...args);
  }
}

function ip(...args: string[]): void {
  execFileSync(program("ip"), args, { stdio: "pipe" });
}

function program(name: string): string {
  return findProgram(name) ?? name;
}

function address(subnet: string, host: number): string {
  const bytes = subnet.split(".").map(Number);
  return [...bytes.slice(0, 3), (bytes[3] ?? 0) + host].join(".");
}
