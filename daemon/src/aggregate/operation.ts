import type { OperationCategory } from "@apm-daemon/protocol";
import { fingerprintOf } from "./fingerprint.ts";
import { repeatKeyOf } from "./repeat-key.ts";
import type { SpanPlan } from "./span-plan.ts";

/** What was called: the identity of an operation's counters. */
export interface Operation {
  readonly category: OperationCategory;
  readonly system: string;
  readonly target: string;
  readonly operation: string;
  readonly statement: string;
  readonly fingerprint: string;
  /** See repeat-key.ts. */
  readonly repeatKey: string;
}

/** What calls are counted as when there are too many different ones. */
export const OTHER_OPERATIONS: Readonly<Record<OperationCategory, Operation>> = {
  database: otherOperation("database"),
  cache: otherOperation("cache"),
  external: otherOperation("external"),
};

/** Operations of one app, each one object, at most `limit`; the rest share one "(other)" per category. */
export class OperationTable {
  readonly #limit: number;
  readonly #operations = new Map<string, Operation>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  find(plan: SpanPlan, category: OperationCategory, spanName: string): Operation {
    const system = plan.system;
    const target = plan.target;
    const name = plan.operation(spanName);
    const statement = plan.statement;
    const key = `${category}\n${system}\n${target}\n${name}\n${statement}`;
    const known = this.#operations.get(key);
    if (known !== undefined) return known;
    if (this.#operations.size >= this.#limit) return OTHER_OPERATIONS[category];
    const identity = {
      category,
      system,
      operation: name,
      statement,
      fingerprint: fingerprintOf(system, statement),
    };
    return this.#add(key, { ...identity, target, repeatKey: repeatKeyOf(identity) });
  }

  #add(key: string, operation: Operation): Operation {
    this.#operations.set(key, operation);
    return operation;
  }
}

function otherOperation(category: OperationCategory): Operation {
  return {
    category,
    system: "(other)",
    target: "",
    operation: "(other)",
    statement: "",
    fingerprint: "",
    repeatKey: "",
  };
}
