import type { Tracer, TracerProvider } from "@opentelemetry/api";
import { ApmTracer, type TracerParts } from "./tracer.ts";
import { textOf } from "./truncate.ts";

/** Scopes are libraries; more of them than this are made up at run time and share one. */
const MAX_TRACERS = 256;

export class ApmTracerProvider implements TracerProvider {
  readonly #parts: TracerParts;
  readonly #tracers = new Map<string, ApmTracer>();

  constructor(parts: TracerParts) {
    this.#parts = parts;
  }

  getTracer(name: string): Tracer {
    return this.tracer(name);
  }

  /** The tracer of a scope; the same one each time. */
  tracer(name: string): ApmTracer {
    const scope = this.#tracers.size < MAX_TRACERS ? textOf(name).slice(0, 255) : "other";
    let tracer = this.#tracers.get(scope);
    if (tracer === undefined) {
      tracer = new ApmTracer(scope, this.#parts);
      this.#tracers.set(scope, tracer);
    }
    return tracer;
  }
}
