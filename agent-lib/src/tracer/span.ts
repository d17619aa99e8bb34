/**
 * The span, which also is its own OpenTelemetry Context: no Context object and no copied Map per span. Attribute
 * values lie in slots described by the span's shape (protocol/shape.ts); a setAttribute that follows the path of the
 * spans before it costs one comparison. At end() the span is encoded and lets go of its values, so that a context
 * kept by an idle connection holds on to little.
 */
import {
  type AttributeValue,
  MAX_ATTRIBUTE_CHARS,
  MAX_ATTRIBUTES_PER_SPAN,
  MAX_EVENTS_PER_SPAN,
  MAX_NAME_CHARS,
  type Shape,
  type SlotType,
  type SpanExtra,
  type SpanRecord,
  slotTypeOf,
} from "@apm-daemon/protocol";
import {
  type Attributes,
  type Context,
  createTraceState,
  type Exception,
  type Link,
  type Span,
  type SpanContext,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
  TraceFlags,
} from "@opentelemetry/api";
import { obfuscateMessage } from "../sql/obfuscate-message.ts";
import { stripUrlsIn } from "../url-parts.ts";
import { monotonicMsOf, nowMs } from "./clock.ts";
import { describeException, exceptionAttributes, markDatabaseError } from "./exception.ts";
import { LinkedContext, SPAN_KEY } from "./linked-context.ts";
import type { LocalRoot, RequestMarks } from "./local-root.ts";
import { hexOf } from "./random-ids.ts";
import type { SpanRules } from "./span-rules.ts";
import type { SpanSink } from "./span-sink.ts";
import { textOf, truncate } from "./truncate.ts";

const NO_VALUES: AttributeValue[] = [];

export class ApmSpan implements Span, Context, SpanRecord {
  shape: Shape;
  values: AttributeValue[] = [];
  name: string;
  readonly trace: LocalRoot;
  readonly idHi: number;
  readonly idLo: number;
  readonly parentHi: number;
  readonly parentLo: number;
  readonly isLocalRoot: boolean;
  readonly hasRemoteParent: boolean;
  hasError = false;
  extra: SpanExtra | null = null;
  /** Monotonic. */
  readonly startMs: number;
  /** The context that other values than the span come from. */
  readonly base: Context;
  readonly #rules: SpanRules;
  readonly #sink: SpanSink;
  #isEnded = false;

  constructor(
    sink: SpanSink,
    rules: SpanRules,
    base: Context,
    shape: Shape,
    name: string,
    startMs: number,
    trace: LocalRoot,
    idHi: number,
    idLo: number,
    parentHi: number,
    parentLo: number,
    isLocalRoot: boolean,
    hasRemoteParent: boolean,
  ) {
    this.#sink = sink;
    this.#rules = rules;
    this.base = base;
    this.shape = shape;
    this.name = name;
    this.startMs = startMs;
    this.trace = trace;
    this.idHi = idHi;
    this.idLo = idLo;
    this.parentHi = parentHi;
    this.parentLo = parentLo;
    this.isLocalRoot = isLocalRoot;
    this.hasRemoteParent = hasRemoteParent;
  }

  // Context

  getValue(key: symbol): unknown {
    if (key === SPAN_KEY) return this;
    return this.base.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    // The usual step of startActiveSpan: a child made from this context becomes active in it.
    if (key === SPAN_KEY && value instanceof ApmSpan && value.base === this.base) return value;
    return new LinkedContext(this, key, value);
  }

  deleteValue(key: symbol): Context {
    return new LinkedContext(this, key, undefined);
  }

  // Span

  spanContext(): SpanContext {
    const { traceId, traceState } = this.trace;
    const spanId = hexOf(this.idHi) + hexOf(this.idLo);
    const context: SpanContext = { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
    return traceState === "" ? context : { ...context, traceState: createTraceState(traceState) };
  }

  setAttribute(key: string, value: unknown): this {
    if (this.#isEnded) return this;
    const next = this.shape.expected;
    if (next !== null && next.isPlain && next.key === key && fits(next.type, value)) {
      this.shape = next;
      this.values.push(value);
      return this;
    }
    this.#rules.setAttribute(this, key, value);
    return this;
  }

  setAttributes(attributes: Attributes): this {
    for (const key of Object.keys(attributes)) this.setAttribute(key, attributes[key]);
    return this;
  }

  /** For the agent's own instrumentations: records a value as it is, under a key that is neither renamed nor secret. */
  put(key: string, value: string | number | boolean): void {
    if (this.#isEnded) return;
    const next = this.shape.expected;
    if (next !== null && next.key === key && fits(next.type, value)) {
      this.shape = next;
      this.values.push(value);
    } else this.store(key, typeof value === "string" ? truncate(value, MAX_ATTRIBUTE_CHARS) : value);
  }

  /** Records a value that has been treated already: appends it, or replaces that of the same key. */
  store(key: string, value: AttributeValue): void {
    const type = slotTypeOf(value);
    const slot = this.shape.keys.indexOf(key);
    if (slot !== -1) {
      this.#replace(slot, type, value);
      return;
    }
    const next = this.values.length < MAX_ATTRIBUTES_PER_SPAN ? this.shape.follow(key, type) : null;
    if (next === null) {
      const extra = (this.extra ??= {});
      extra.droppedAttributes = (extra.droppedAttributes ?? 0) + 1;
      return;
    }
    this.shape = next;
    this.values.push(value);
  }

  #replace(slot: number, type: SlotType, value: AttributeValue): void {
    if (this.shape.types[slot] !== type) {
      const shape = withType(this.shape, slot, type);
      if (shape === null) return;
      this.shape = shape;
    }
    this.values[slot] = value;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    const isTime = isTimeInput(attributesOrTime);
    const at = isTime ? attributesOrTime : time;
    this.#addEvent(name, at, isTime ? {} : this.#rules.treatAll(attributesOrTime ?? {}));
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    if (this.#isEnded) return;
    if (this.#isDatabaseCall) markDatabaseError(exception);
    this.#addEvent("exception", time, exceptionAttributes(describeException(exception)));
  }

  /** For the agent's own use: attributes of an exception that has been described already. */
  addExceptionEvent(attributes: Record<string, AttributeValue>): void {
    this.#addEvent("exception", undefined, attributes);
  }

  #addEvent(name: string, time: TimeInput | undefined, attributes: Record<string, AttributeValue>): void {
    if (this.#isEnded) return;
    const events = ((this.extra ??= {}).events ??= []);
    if (events.length >= MAX_EVENTS_PER_SPAN) return;
    const atMs = time === undefined ? nowMs() : monotonicMsOf(time);
    const offsetNs = Math.max(0, Math.round((atMs - this.startMs) * 1e6));
    events.push({ name: truncate(name, MAX_NAME_CHARS), offsetNs, attributes });
  }

  addLink(link: Link): this {
    return this.addLinks([link]);
  }

  addLinks(links: Link[]): this {
    if (this.#isEnded) return this;
    const kept = ((this.extra ??= {}).links ??= []);
    for (const { context, attributes } of links.slice(0, MAX_EVENTS_PER_SPAN - kept.length)) {
      const { traceId, spanId } = context;
      kept.push({ traceId, spanId, ...(attributes && { attributes: this.#rules.treatAll(attributes) }) });
    }
    return this;
  }

  setStatus(status: SpanStatus): this {
    if (this.#isEnded) return this;
    this.hasError = status.code === SpanStatusCode.ERROR;
    if (this.hasError && status.message !== undefined && status.message !== "")
      (this.extra ??= {}).statusMessage = truncate(this.#safe(textOf(status.message)), MAX_ATTRIBUTE_CHARS);
    return this;
  }

  /** Databases quote values in the messages of their errors; clients name the URL. */
  #safe(message: string): string {
    return this.#isDatabaseCall ? obfuscateMessage(message) : stripUrlsIn(message);
  }

  get #isDatabaseCall(): boolean {
    return this.shape.keys.includes("db.system.name");
  }

  updateName(name: string): this {
    if (!this.#isEnded) this.name = truncate(textOf(name), MAX_NAME_CHARS);
    return this;
  }

  end(endTime?: TimeInput): void {
    this.endAt(endTime === undefined ? nowMs() : monotonicMsOf(endTime));
  }

  /** Ends at a monotonic time; the first end counts. */
  endAt(endMs: number): void {
    if (this.#isEnded) return;
    const { marks } = this.trace;
    const isMade = marks === null || this.#mark(marks);
    this.#isEnded = true;
    if (isMade) this.#sink.add(this, endMs);
    this.values = NO_VALUES;
    this.extra = null;
  }

  /**
   * Puts what the app said of the request onto its entry span; false for a span that must not be made. Of an ignored request
   * the entry alone is, with nothing but the mark: the daemon has spans that ended before, and forgets them by it.
   */
  #mark({ isIgnored, userId }: RequestMarks): boolean {
    if (!this.isLocalRoot) return !isIgnored;
    if (userId !== "") this.store("enduser.pseudo.id", userId);
    if (isIgnored) {
      this.shape = rootOf(this.shape);
      this.values = [];
      this.extra = null;
      this.hasError = false;
      this.store("apm.ignored", true);
    }
    return true;
  }

  isRecording(): boolean {
    return !this.#isEnded;
  }
}

function fits(type: SlotType, value: unknown): value is string | number | boolean {
  switch (typeof value) {
    case "string":
      return type === 0 && value.length <= MAX_ATTRIBUTE_CHARS;
    case "number":
      return type === 1 ? (value | 0) === value : type === 2;
    case "boolean":
      return type === 3;
    default:
      return false;
  }
}

function rootOf(shape: Shape): Shape {
  let root = shape;
  while (root.parent !== null) root = root.parent;
  return root;
}

/** The shape of the same keys with one slot of another type; null when there are too many shapes. */
function withType(shape: Shape, slot: number, type: SlotType): Shape | null {
  let result: Shape | null = rootOf(shape);
  for (let i = 0; i < shape.keys.length && result !== null; i++)
    result = result.follow(shape.keys[i] as string, i === slot ? type : (shape.types[i] as SlotType));
  return result;
}

function isTimeInput(value: unknown): value is TimeInput {
  return typeof value === "number" || value instanceof Date || Array.isArray(value);
}
