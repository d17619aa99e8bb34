import { readFileSync } from "node:fs";
import type { Cleanup } from "./cleanup.ts";
import { eventually } from "./eventually.ts";
import type { PeerOptions, PeerState } from "./peer-main.ts";
import { Program } from "./program.ts";

/** A user without rights, and the group of the same number. */
export const NOBODY = 65_534;

const SCRIPT = new URL("./peer-main.js", import.meta.url);

/** A process with connections to the daemon, see peer-main.ts. */
export class Peer {
  readonly program: Program;

  private constructor(program: Program) {
    this.program = program;
  }

  /** Starts one, as another user if `uid` is given; `prefix` is a command that runs it, like unshare. It ends at clean-up. */
  static start(
    cleanup: Cleanup,
    socket: string,
    options: Partial<PeerOptions>,
    as: { uid?: number; prefix?: string[] } = {},
  ): Peer {
    const full: PeerOptions = {
      socket,
      app: "peer",
      instancePrefix: "0".repeat(24),
      connections: 1,
      connectWithinMs: 0,
      behaviour: "greet",
      everyMs: 200,
      frames: Number.MAX_SAFE_INTEGER,
      framesFile: "",
      claimedPid: 0,
      claimedStartUnixMs: 0,
      firstUnacknowledged: 1,
      becomeUid: 0,
      comesAgain: false,
      ...options,
    };
    const node = [
      process.execPath,
      "--input-type=module",
      "-e",
      readFileSync(SCRIPT, "utf8"),
      JSON.stringify(full),
    ];
    const [command = "", ...args] = [...(as.prefix ?? []), ...node];
    const program = new Program({
      name: `peer ${full.app}`,
      command,
      args,
      ...(as.uid === undefined ? {} : { uid: as.uid, gid: as.uid }),
    });
    cleanup.add(() => program.kill());
    return new Peer(program);
  }

  /** What it printed last. */
  state(): PeerState {
    const lines = this.program.stdout.split("\n");
    const line = lines.at(-2);
    if (line === undefined) throw new Error(`nothing printed yet; ${this.program.stderr}`);
    return JSON.parse(line) as PeerState;
  }

  async waitFor(what: string, deadlineMs: number, isSo: (state: PeerState) => boolean): Promise<PeerState> {
    return eventually(`the peer: ${what}`, deadlineMs, () => {
      const state = this.state();
      if (!isSo(state)) throw new Error(JSON.stringify(state));
      return state;
    });
  }
}
