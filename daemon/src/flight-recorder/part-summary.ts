import type { ActionKind, FoundSummary, SpanView } from "@apm-daemon/protocol";
import { labelUs } from "../aggregate/label-time.ts";
import { shortened } from "../aggregate/shortened.ts";
import { SpanPlan } from "../aggregate/span-plan.ts";

/** What is shown as the action of a request whose entry span is not there. */
const UNFINISHED = "(unfinished)";

interface Entry {
  action: string;
  kind: ActionKind;
  startUs: number;
  durationUs: number;
  status: number;
  isError: boolean;
}

/** Gathers what is known of one process's part of a trace, span by span. */
export class PartSummary {
  /** For the extractor: identity, and where the frames are. */
  readonly summary: { traceId: string; rootSpanId: string; app: string; instance: string };
  readonly positions: number[] = [];
  #spans = 0;
  #entry: Entry | null = null;
  #startUs = Number.POSITIVE_INFINITY;
  #endUs = 0;
  #hasError = false;

  constructor(identity: PartSummary["summary"]) {
    this.summary = identity;
  }

  add(span: SpanView, position: number, baseUnixUs: number, receivedUnixMs: number): void {
    this.#spans++;
    if (this.positions.at(-1) !== position) this.positions.push(position);
    const durationUs = span.durationNs / 1_000;
    const endUs = labelUs(baseUnixUs + span.endOffsetNs / 1_000, receivedUnixMs);
    this.#startUs = Math.min(this.#startUs, endUs - durationUs);
    this.#endUs = Math.max(this.#endUs, endUs);
    this.#hasError ||= span.hasError;
    if (span.isLocalRoot) this.#entry = entryOf(span, endUs - durationUs, durationUs);
  }

  toFound(): FoundSummary {
    const entry = this.#entry ?? {
      action: UNFINISHED,
      kind: "web",
      startUs: this.#startUs,
      durationUs: this.#endUs - this.#startUs,
      status: 0,
      isError: this.#hasError,
    };
    return {
      ...this.summary,
      action: entry.action,
      kind: entry.kind,
      startUnixMs: Math.max(0, entry.startUs / 1_000),
      durationUs: entry.durationUs,
      status: entry.status,
      error: entry.isError,
      spans: this.#spans,
      reason: this.#entry === null ? "unfinished" : "fetched",
    };
  }
}

/** As the aggregator counts it; but calls outside of any request have no other name here than their own. */
function entryOf(span: SpanView, startUs: number, durationUs: number): Entry {
  const { role, status } = new SpanPlan(span.shape);
  return {
    action: shortened(span.name) || "(unnamed)",
    kind: role === "server" ? "web" : "background",
    startUs,
    durationUs,
    status,
    isError: span.hasError || status >= 500,
  };
}
