import type { AsyncLocalStorage } from "node:async_hooks";
import type { Context } from "@opentelemetry/api";
import type { AgentLog } from "../agent-log.ts";
import type { OpenActions } from "../api/open-actions.ts";
import type { Statements } from "../sql/statements.ts";
import type { ApmTracerProvider } from "../tracer/tracer-provider.ts";
import type { LibraryHook } from "./library-hook.ts";
import type { OpenRequests } from "./open-requests.ts";
import type { Patches } from "./patches.ts";

/** Whose traceparent headers are believed: everybody's, or those of private and loopback addresses. */
export type Trust = "all" | "local";

/** What instrumentations work with. */
export interface InstrumentationParts {
  readonly provider: ApmTracerProvider;
  readonly storage: AsyncLocalStorage<Context>;
  readonly requests: OpenRequests;
  readonly actions: OpenActions;
  readonly patches: Patches;
  readonly libraries: LibraryHook;
  readonly log: AgentLog;
  readonly trust: Trust;
  readonly statements: Statements;
}
