import { readFileSync } from "node:fs";
import type { Context } from "@opentelemetry/api";
import { SPAN_KEY } from "../tracer/linked-context.ts";
import type { RequestMarks } from "../tracer/local-root.ts";
import { ApmSpan } from "../tracer/span.ts";

/** What the app says of the request or action that it is working on; outside of one it says it to nobody. */
export function markRequest(context: Context | undefined, marks: Partial<RequestMarks>): void {
  const span = context?.getValue(SPAN_KEY);
  if (!(span instanceof ApmSpan)) return;
  span.trace.marks = { isIgnored: false, userId: "", ...span.trace.marks, ...marks };
}

const HASH_DIGITS = 16;

/** Turns the app's ids of users into pseudonyms, which nobody can turn back who does not know the salt. */
export class UserPseudonyms {
  readonly #salt: string;
  readonly #app: string;
  readonly #machineIdFile: string;
  #key: Buffer | null = null;

  /** Without a salt of the app's own: the host's, so that one user is one pseudonym to all processes of the app on this host. */
  constructor(salt: string, app: string, machineIdFile: string = "/etc/machine-id") {
    this.#salt = salt;
    this.#app = app;
    this.#machineIdFile = machineIdFile;
  }

  /** 16 hex digits. */
  of(id: string): string {
    // Loaded here: most apps name no users, and some have no other use for it.
    const crypto = process.getBuiltinModule("node:crypto");
    this.#key ??= this.#makeKey(crypto);
    return crypto.createHmac("sha256", this.#key).update(id).digest("hex").slice(0, HASH_DIGITS);
  }

  #makeKey({ createHash, randomBytes }: typeof import("node:crypto")): Buffer {
    // A host without an identity gets pseudonyms that hold for this process alone.
    const secret = this.#salt || machineId(this.#machineIdFile) || randomBytes(32).toString("hex");
    return createHash("sha256").update(`apm-daemon user\0${secret}\0${this.#app}`).digest();
  }
}

/** "" for a host without an identity. */
function machineId(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}
