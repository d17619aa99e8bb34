import type { Context } from "@opentelemetry/api";
import { OpenList, type OpenMember } from "../open-list.ts";
import { nowMs } from "../tracer/clock.ts";
import { failSpan } from "../tracer/fail-span.ts";
import { SPAN_KEY } from "../tracer/linked-context.ts";
import { ApmSpan } from "../tracer/span.ts";

/** An action that runs, from OpenActions.add to OpenActions.delete. */
export class OpenAction implements OpenMember<OpenAction> {
  older: OpenAction | null = null;
  newer: OpenAction | null = null;
  isOpen = false;
  readonly span: ApmSpan;

  constructor(span: ApmSpan) {
    this.span = span;
  }
}

/** Actions that run, without those within others. */
export class OpenActions {
  readonly #open = new OpenList<OpenAction>();
  readonly #broken = new Map<ApmSpan, unknown>();

  add(span: ApmSpan): OpenAction {
    const action = new OpenAction(span);
    if (span.isLocalRoot) this.#open.add(action);
    return action;
  }

  delete(action: OpenAction): void {
    this.#open.delete(action);
    this.#broken.delete(action.span);
  }

  /** What nobody caught was thrown in this context: the action that it belongs to may be what the process dies in. */
  noteUncaught(context: Context, error: unknown): void {
    const active = context.getValue(SPAN_KEY);
    if (!(active instanceof ApmSpan)) return;
    for (const { span } of this.#open) {
      if (span.trace !== active.trace) continue;
      // Not described yet: to read an error's stack now would change what Node prints of it.
      this.#broken.set(span, error);
    }
  }

  /** The process is about to end: so have those that broke it. */
  endBroken(): void {
    for (const [span, error] of this.#broken) {
      failSpan(span, error);
      span.endAt(nowMs());
    }
    this.#broken.clear();
  }
}
