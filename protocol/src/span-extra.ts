import { type AttributeValue, isAttributeValue } from "./shape.ts";

/** What few spans have: events (exceptions among them), links, a status message, attributes beyond what shapes hold. */
export interface SpanExtra {
  statusMessage?: string;
  events?: SpanEvent[];
  links?: SpanLink[];
  attributes?: Record<string, AttributeValue>;
  droppedAttributes?: number;
}

export interface SpanEvent {
  name: string;
  /** ns after the span's start. */
  offsetNs: number;
  attributes: Record<string, AttributeValue>;
}

export interface SpanLink {
  /** 32 hex digits. */
  traceId: string;
  /** 16 hex digits. */
  spanId: string;
  attributes?: Record<string, AttributeValue>;
}

/** Events, links and so on of a span. What is not as SpanExtra says is left out; {} when nothing can be read. */
export function parseSpanExtra(extraJson: string): SpanExtra {
  const extra: SpanExtra = {};
  const { statusMessage, events, links, attributes, droppedAttributes } = parseObject(extraJson);
  if (typeof statusMessage === "string") extra.statusMessage = statusMessage;
  if (Array.isArray(events)) extra.events = events.flatMap(readEvent);
  if (Array.isArray(links)) extra.links = links.flatMap(readLink);
  if (isObject(attributes)) extra.attributes = readAttributes(attributes);
  if (isCount(droppedAttributes)) extra.droppedAttributes = droppedAttributes;
  return extra;
}

function parseObject(json: string): Record<string, unknown> {
  if (json === "") return {};
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function readEvent(value: unknown): SpanEvent[] {
  if (!isObject(value) || typeof value["name"] !== "string") return [];
  const { name, offsetNs, attributes } = value;
  return [{ name, offsetNs: isCount(offsetNs) ? offsetNs : 0, attributes: readAttributes(attributes) }];
}

function readLink(value: unknown): SpanLink[] {
  if (!isObject(value)) return [];
  const { traceId, spanId, attributes } = value;
  if (typeof traceId !== "string" || !/^[0-9a-f]{32}$/.test(traceId)) return [];
  if (typeof spanId !== "string" || !/^[0-9a-f]{16}$/.test(spanId)) return [];
  const link: SpanLink = { traceId, spanId };
  if (isObject(attributes)) link.attributes = readAttributes(attributes);
  return [link];
}

function readAttributes(value: unknown): Record<string, AttributeValue> {
  if (!isObject(value)) return {};
  const attributes: [string, AttributeValue][] = [];
  for (const [key, each] of Object.entries(value)) if (isAttributeValue(each)) attributes.push([key, each]);
  return Object.fromEntries(attributes);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
