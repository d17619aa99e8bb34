import type { AsyncLocalStorage } from "node:async_hooks";
import type { Context } from "@opentelemetry/api";
import type { AgentLog } from "../agent-log.ts";
import type { OpenActions } from "../api/open-actions.ts";
import type { CommandStatements } from "../sql/command-statements.ts";
import type { MongodbStatements } from "../sql/mongodb-statements.ts";
import type { StatementCache } from "../sql/statement-cache.ts";
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
  /** Statements by the language that they are written in. */
  readonly statements: {
    readonly postgresql: StatementCache;
    readonly mysql: StatementCache;
    /** Commands to Redis and memcached. */
    readonly commands: CommandStatements;
    readonly mongodb: MongodbStatements;
  };
}
