import type { TraceSummary } from "./batch-header.ts";
import { databaseCategory } from "./database-category.ts";
import { ProtocolError } from "./errors.ts";
import type { AttributeValue } from "./shape.ts";
import { decodeSpans, decodeSpansHeader, type SpanView } from "./span-decoder.ts";
import { parseSpanExtra } from "./span-extra.ts";

/** One process's part of a trace with its SPANS payload, as stored or as found in a journal. */
export interface TracePart extends Omit<TraceSummary, "reason"> {
  host: string;
  /** Why it was kept, or how it was found: "error", "slow", "random", "fetched", "unfinished". */
  reason: string;
  frame: Uint8Array;
}

/** What its spans are told from. */
type SpansPart = Pick<TracePart, "traceId" | "app" | "host" | "instance" | "kind" | "frame">;

/** A span as the APIs show it. */
export interface SpanAnswer {
  spanId: string;
  parentSpanId: string | null;
  app: string;
  host: string;
  instance: string;
  name: string;
  kind: string;
  category: SpanCategory;
  startUnixMs: number;
  durationMs: number;
  error: boolean;
  attributes: Record<string, AttributeValue>;
  events: { name: string; startUnixMs: number; attributes: Record<string, AttributeValue> }[];
  statusMessage: string | null;
}

export type SpanCategory = "web" | "background" | "database" | "cache" | "external" | "internal";

const KINDS = ["internal", "server", "client", "producer", "consumer"] as const;
const SERVER = 1;
const CLIENT = 2;
const PRODUCER = 3;
const CONSUMER = 4;

/** The spans in one part's SPANS payload; those before the damage when it is damaged. */
export function spansOfPart(part: SpansPart): SpanAnswer[] {
  const payload = Buffer.from(part.frame.buffer, part.frame.byteOffset, part.frame.byteLength);
  const spans: SpanAnswer[] = [];
  try {
    const { baseUnixUs } = decodeSpansHeader(payload);
    decodeSpans(payload, (view) => {
      if (view.trace.traceId === part.traceId) spans.push(spanAnswer(view, baseUnixUs, part));
    });
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  return spans;
}

function spanAnswer(view: SpanView, baseUnixUs: number, part: SpansPart): SpanAnswer {
  const extra = parseSpanExtra(view.extraJson);
  const startUnixMs = (baseUnixUs + (view.endOffsetNs - view.durationNs) / 1000) / 1000;
  const attributes: Record<string, AttributeValue> = Object.fromEntries([
    ...view.shape.keys.map((key, slot) => [key, view.shape.values[slot] ?? ""] as const),
    ...Object.entries(extra.attributes ?? {}),
  ]);
  const hasParent = view.parentHi !== 0 || view.parentLo !== 0;
  return {
    spanId: hex(view.idHi) + hex(view.idLo),
    parentSpanId: hasParent ? hex(view.parentHi) + hex(view.parentLo) : null,
    app: part.app,
    host: part.host,
    instance: part.instance,
    name: view.name,
    kind: KINDS[view.shape.kind] ?? "internal",
    category: categoryOf(view, part),
    startUnixMs,
    durationMs: view.durationNs / 1_000_000,
    error: view.hasError,
    attributes,
    events: (extra.events ?? []).map((event) => ({
      name: event.name,
      startUnixMs: startUnixMs + event.offsetNs / 1_000_000,
      attributes: event.attributes,
    })),
    statusMessage: extra.statusMessage ?? null,
  };
}

function categoryOf(view: SpanView, part: SpansPart): SpanCategory {
  const { kind, keys, values } = view.shape;
  if (view.isLocalRoot) return part.kind;
  if (kind === SERVER) return "web";
  const slot = keys.findIndex((key) => key === "db.system.name" || key === "db.system");
  if (slot >= 0) return databaseCategory(String(values[slot]));
  if (kind === CLIENT || kind === PRODUCER) return "external";
  return kind === CONSUMER ? "background" : "internal";
}

function hex(half: number): string {
  return (half >>> 0).toString(16).padStart(8, "0");
}
