import type { AsyncLocalStorage } from "node:async_hooks";
import type { ExceptionText } from "@apm-daemon/protocol";
import type { Context } from "@opentelemetry/api";
import type { AgentLog } from "./agent-log.ts";
import type { OpenActions } from "./api/open-actions.ts";
import type { OpenRequests } from "./instrumentation/open-requests.ts";
import type { Patches } from "./instrumentation/patches.ts";
import { describeException } from "./tracer/exception.ts";

/** An app that catches all may clean up for this long before it ends. */
const UNCAUGHT_WITHIN_MS = 10_000;

export interface UncaughtSources {
  readonly storage: AsyncLocalStorage<Context>;
  readonly requests: OpenRequests;
  readonly actions: OpenActions;
  readonly log: AgentLog;
}

/** What nobody caught: maybe the reason why the process ends, and the failure of the request or action that it came from. */
export class UncaughtErrors {
  readonly #sources: UncaughtSources;
  #newest: { error: ExceptionText; monoMs: number } | null = null;

  constructor(sources: UncaughtSources) {
    this.#sources = sources;
  }

  /**
   * Changes nothing about what becomes of them. Rejections that the app's own listener takes reach no monitor, and a listener
   * of ours would keep the process from dying of those that nobody takes: so they are seen where Node tells of them.
   */
  watch(patches: Patches): void {
    const onUncaught = (error: unknown): void => this.#noteUncaught(error);
    process.on("uncaughtExceptionMonitor", onUncaught);
    patches.onUndo(() => process.off("uncaughtExceptionMonitor", onUncaught));
    const onRejection = (reason: unknown): void => this.#noteRejection(reason);
    patches.wrap(process, "emit", (emit) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        if (args[0] === "unhandledRejection") onRejection(args[1]);
        return emit.apply(this, args);
      };
    });
  }

  /** Null when what was uncaught cannot be why the process ends: the app went on after it. */
  get last(): ExceptionText | null {
    const newest = this.#newest;
    return newest !== null && performance.now() - newest.monoMs < UNCAUGHT_WITHIN_MS ? newest.error : null;
  }

  #noteUncaught(error: unknown): void {
    try {
      this.#newest = { error: describeException(error), monoMs: performance.now() };
      this.#noteBroken(error);
    } catch (internal) {
      this.#sources.log.internalError("uncaught exception", internal);
    }
  }

  #noteRejection(reason: unknown): void {
    try {
      this.#noteBroken(reason);
    } catch (internal) {
      this.#sources.log.internalError("rejection", internal);
    }
  }

  #noteBroken(error: unknown): void {
    const { storage, requests, actions } = this.#sources;
    const active = storage.getStore();
    if (active === undefined) return;
    const request = requests.inContext(active);
    if (request !== undefined) request.error ??= error;
    else actions.noteUncaught(active, error);
  }
}
