import type { ServerResponse } from "node:http";
import type { Context } from "@opentelemetry/api";
import { OpenList, type OpenMember } from "../open-list.ts";
import { nowMs } from "../tracer/clock.ts";
import { failSpan } from "../tracer/fail-span.ts";
import { SPAN_KEY } from "../tracer/linked-context.ts";
import { ApmSpan } from "../tracer/span.ts";

/** A request that an HTTP server is answering. Found again at the request object by REQUEST. */
export class OpenRequest implements OpenMember<OpenRequest> {
  older: OpenRequest | null = null;
  newer: OpenRequest | null = null;
  isOpen = false;
  readonly span: ApmSpan;
  readonly method: string;
  /** Null where the answer is none of node:http's: an HTTP/2 stream. */
  readonly response: ServerResponse | null;
  /** Route template as far as a router has told, "" for none. */
  route = "";
  /** Asked for the template when no router told one: some keep it where it is found at any time. */
  findRoute: (() => string) | null = null;
  /** What was thrown, if anything was; counts when the request ends as a failure. */
  error: unknown = undefined;

  constructor(span: ApmSpan, method: string, response: ServerResponse | null) {
    this.span = span;
    this.method = method;
    this.response = response;
  }

  /** Name of the action: method and route template, never the raw URL; or what the app named its span. */
  get action(): string {
    const isNamedByApp = this.span.name !== this.method;
    return isNamedByApp ? this.span.name : actionName(this.method, this.#template);
  }

  get #template(): string {
    return this.route === "" && this.findRoute !== null ? this.findRoute() : this.route;
  }

  /** Ends the span. `status` is 0 when the connection ended without one. */
  end(status: number): void {
    const { span } = this;
    this.route = this.#template;
    this.findRoute = null;
    span.name = this.action;
    if (this.route !== "") span.put("http.route", this.route);
    if (status > 0) span.put("http.response.status_code", status);
    if (status >= 500 || (status === 0 && this.error !== undefined)) this.#fail(status);
    span.endAt(nowMs());
  }

  #fail(status: number): void {
    const { span } = this;
    if (this.error === undefined) {
      span.hasError = true;
      span.put("error.type", String(status));
    } else failSpan(span, this.error);
  }
}

/** Names by method and route, kept so that one action always is the same string. */
const names = new Map<string, Map<string, string>>();
const MAX_NAMES = 10_000;

function actionName(method: string, route: string): string {
  let ofMethod = names.get(method);
  if (ofMethod === undefined) {
    ofMethod = new Map();
    names.set(method, ofMethod);
  }
  let name = ofMethod.get(route);
  if (name === undefined) {
    name = `${method} ${route === "" ? "(unmatched)" : route}`.slice(0, 255);
    if (ofMethod.size < MAX_NAMES) ofMethod.set(route, name);
  }
  return name;
}

const REQUEST = Symbol("apm-daemon request");
type Marked = { [REQUEST]?: OpenRequest };

export class OpenRequests {
  readonly #open = new OpenList<OpenRequest>();

  open(message: object, request: OpenRequest): void {
    this.mark(message, request);
    this.#open.add(request);
  }

  /** One more object at which the request is found. */
  mark(message: object, request: OpenRequest): void {
    (message as Marked)[REQUEST] = request;
  }

  /** The request that a message belongs to, also after it ended. */
  of(message: object | null | undefined): OpenRequest | undefined {
    const marked: Marked | null | undefined = message;
    return marked?.[REQUEST];
  }

  end(request: OpenRequest, status: number): void {
    if (this.#open.delete(request)) request.end(status);
  }

  /** The open request that code running in a context works for. */
  inContext(context: Context): OpenRequest | undefined {
    const span = context.getValue(SPAN_KEY);
    if (!(span instanceof ApmSpan)) return undefined;
    for (const request of this.#open) if (request.span.trace === span.trace) return request;
    return undefined;
  }

  /** Ends those that an uncaught exception broke: the process is about to end. */
  endBroken(): void {
    for (const request of this.#open) if (request.error !== undefined) this.end(request, 0);
  }

  /** Requests older than a second, oldest first. */
  slow(now: number, most: number): { action: string; traceId: string; ageMs: number }[] {
    const slow: { action: string; traceId: string; ageMs: number }[] = [];
    for (const { action, span } of this.#open) {
      const ageMs = now - span.startMs;
      if (ageMs < 1_000 || slow.length === most) break;
      slow.push({ action, traceId: span.trace.traceId, ageMs: Math.round(ageMs) });
    }
    return slow;
  }
}
