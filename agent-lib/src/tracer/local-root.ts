import { TraceEntry } from "@apm-daemon/protocol";
import { hexOf } from "./random-ids.ts";

/** What the app said of a request while it ran; goes out with its entry span. */
export interface RequestMarks {
  /** Left out of all statistics and traces. */
  readonly isIgnored: boolean;
  /** Pseudonym of the user, "" for none. */
  readonly userId: string;
}

/** One local root's part of a trace: the identity its spans share, and the tracestate to hand on. */
export class LocalRoot extends TraceEntry {
  /** The incoming tracestate header, "" for none. */
  readonly traceState: string;
  /** Null for nearly all. */
  marks: RequestMarks | null = null;
  #traceId = "";

  constructor(
    t0: number,
    t1: number,
    t2: number,
    t3: number,
    rootHi: number,
    rootLo: number,
    traceState: string,
  ) {
    super(t0, t1, t2, t3, rootHi, rootLo);
    this.traceState = traceState;
  }

  /** 32 hex digits, spelled when first asked for. */
  get traceId(): string {
    if (this.#traceId === "")
      this.#traceId = hexOf(this.t0) + hexOf(this.t1) + hexOf(this.t2) + hexOf(this.t3);
    return this.#traceId;
  }
}
