import type { OperationCategory } from "@apm-daemon/protocol";
import * as z from "zod";
import { ACTION_SORTS, type ActionSort } from "../query/actions.ts";
import { HOST_METRIC_NAMES } from "../query/host-details.ts";
import { inUnits, type QueryRange, queryRange } from "../query/time-range.ts";
import type { Store } from "../store/store.ts";

/** A parameter that the API cannot take. `message` names it and what it should be. */
export class BadParameter extends Error {
  constructor(message: string) {
    super(message);
    this.name = "BadParameter";
  }
}

/** The store keeps times as 32-bit Unix seconds; the last window must end within them. */
const MAX_UNIX_MS = 4_294_967_290_000;
const MAX_NAME_CHARS = 1_024;

/** Which operations; what is absent may be anything. */
interface OperationKeys {
  action?: string | undefined;
  category: OperationCategory;
  system?: string | undefined;
  target?: string | undefined;
  operation?: string | undefined;
  statement?: string | undefined;
}

type KindParameter = "web" | "background" | "all";

/** What each call takes beside its path, after reading; absent is undefined. */
export interface ParameterSets {
  range: { from?: number | undefined; to?: number | undefined };
  kind: { kind: KindParameter };
  hostSeries: { metrics: string[]; stepMs?: number | undefined };
  appSeries: { action?: string | undefined; kind: KindParameter; stepMs?: number | undefined };
  actions: { kind: KindParameter; sort: ActionSort };
  statusCodes: { action?: string | undefined };
  operations: { action?: string | undefined; category?: OperationCategory | undefined };
  counters: { stepMs?: number | undefined };
  slowStatements: { action?: string | undefined; statement?: string | undefined; limit: number };
  operationSeries: OperationKeys & { by: "store" | "operation"; limit: number; stepMs?: number | undefined };
  operationSamples: OperationKeys & { limit: number };
  errorSeries: { stepMs?: number | undefined };
  errorGroup: { group: string };
  events: { limit: number };
  traces: {
    action?: string | undefined;
    error?: boolean | undefined;
    repeats?: boolean | undefined;
    sort: "slowest" | "recent";
    limit: number;
  };
  trace: { traceId: string };
  statement: { statement: string };
  ledger: { stream: string; upTo: number };
  fetch: { deadlineMs: number };
  live: { after: number };
  hostLane: { instance?: string | undefined };
  rank: { action: string; durationMs: number };
  heatmap: { action: string; stepMs?: number | undefined };
  selection: {
    action: string;
    selectedFrom: number;
    selectedTo: number;
    minMs: number;
    maxMs?: number | undefined;
  };
  ends: { limit: number };
}

const wholeNumber = (min: number, max: number): z.ZodType<number> => {
  const expected = `a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,16}$/, `must be ${expected}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be ${expected}`)
    .meta({ expected });
};
const ACTION_LENGTH = `must be a name of 1 to ${MAX_NAME_CHARS} characters`;
const oneAction = z
  .string(ACTION_LENGTH)
  .min(1, ACTION_LENGTH)
  .max(MAX_NAME_CHARS, ACTION_LENGTH)
  .meta({ expected: `an action's name, 1 to ${MAX_NAME_CHARS} characters` });
const action = oneAction.optional().describe("Of this action only.");
const MS = "must be a number of milliseconds from 0 to 1e9";
/** Written as a double prints itself: 91.88860799999999 has more decimals than it has digits to spare, 1e-7 an exponent. */
const milliseconds = z
  .string(MS)
  .regex(/^\d{1,10}(\.\d{1,20})?(e-\d{1,3})?$/, MS)
  .transform(Number)
  .refine((value) => value <= 1e9, MS)
  .meta({ expected: "a number of milliseconds from 0 to 1e9" });
const moment = wholeNumber(0, MAX_UNIX_MS);
const yesOrNo = z
  .enum(["true", "false"])
  .transform((text) => text === "true")
  .meta({ expected: "`true`, `false`" });
const kind = z.enum(["web", "background", "all"]).default("web").describe("Which requests are counted.");
const stepMs = wholeNumber(1_000, 86_400_000)
  .optional()
  .describe("Length of a step, where it should be coarser than what the server picks.");
const category = z.enum(["database", "cache", "external"]).describe("Which calls.");
/** "" is a name too: that of what the app did not say. */
const key = z
  .string()
  .max(MAX_NAME_CHARS, `must have at most ${MAX_NAME_CHARS} characters`)
  .meta({ expected: `a name, 0 to ${MAX_NAME_CHARS} characters` })
  .optional();
const traceId = z
  .string()
  .regex(/^[0-9a-f]{32}$/, "must be 32 hex digits in lower case")
  .meta({ expected: "32 hex digits in lower case" });
const fingerprint = z
  .string()
  .regex(/^[0-9a-f]{16}$/, "must be a fingerprint of 16 hex digits")
  .meta({ expected: "a fingerprint, 16 hex digits" });
const statement = z
  .string()
  .regex(/^([0-9a-f]{16})?$/, 'must be a fingerprint of 16 hex digits, or ""')
  .meta({ expected: 'a fingerprint, 16 hex digits, or ""' })
  .optional()
  .describe("Of this statement only.");
const limitOf = (max: number, standard: number): z.ZodType<number> =>
  wholeNumber(1, max).default(standard).describe("Most rows of the answer.");
const operationKeys = {
  action,
  category,
  system: key.describe("Of this kind of store or service only."),
  target: key.describe("Of this address only."),
  operation: key.describe("Of this operation only."),
  statement,
};

/** What each call takes, with bounds, defaults and a sentence for each. */
export const SCHEMAS: { readonly [Call in keyof ParameterSets]: z.ZodType<ParameterSets[Call]> } = {
  range: z.object({
    from: wholeNumber(0, MAX_UNIX_MS).optional().describe("Unix ms; default: 30 minutes before `to`."),
    to: wholeNumber(1, MAX_UNIX_MS).optional().describe("Unix ms; default: now."),
  }),
  kind: z.object({ kind }),
  hostSeries: z.object({
    metrics: z
      .string()
      .transform((list) => list.split(","))
      .pipe(z.array(z.enum(HOST_METRIC_NAMES as [string, ...string[]])))
      .meta({ expected: "names of [host-metrics.md](host-metrics.md), with commas between", standard: "all" })
      .default([...HOST_METRIC_NAMES])
      .describe("Which columns."),
    stepMs,
  }),
  appSeries: z.object({ action, kind, stepMs }),
  actions: z.object({
    kind,
    sort: z.enum(ACTION_SORTS).default("time").describe("What comes first."),
  }),
  statusCodes: z.object({ action }),
  operations: z.object({ action, category: category.optional() }),
  counters: z.object({ stepMs }),
  slowStatements: z.object({ action, statement, limit: limitOf(200, 20) }),
  operationSeries: z.object({
    ...operationKeys,
    by: z
      .enum(["store", "operation"])
      .default("store")
      .describe("Whether a group is a store or service, or each operation of it."),
    limit: wholeNumber(1, 50).default(10).describe("Most groups; the others are counted in `leftOut`."),
    stepMs,
  }),
  operationSamples: z.object({ ...operationKeys, limit: limitOf(50, 10) }),
  errorSeries: z.object({ stepMs }),
  errorGroup: z.object({
    group: z
      .string()
      .min(1)
      .max(MAX_NAME_CHARS)
      .meta({ expected: `1 to ${MAX_NAME_CHARS} characters` }),
  }),
  events: z.object({ limit: limitOf(100, 20) }),
  traces: z.object({
    action,
    error: yesOrNo.optional().describe("Failed ones only, or the others only."),
    repeats: yesOrNo.optional().describe("Those that repeat a call only, or the others only."),
    sort: z.enum(["slowest", "recent"]).default("slowest").describe("What comes first."),
    limit: limitOf(500, 50),
  }),
  trace: z.object({ traceId }),
  statement: z.object({ statement: fingerprint }),
  ledger: z.object({
    stream: z
      .guid("must be a stream's id, as `apm status --json` tells it")
      .lowercase()
      .meta({ expected: "a stream's id, a GUID" })
      .describe("The daemon's, as `apm status --json` tells it."),
    upTo: wholeNumber(0, Number.MAX_SAFE_INTEGER)
      .meta({ standard: "all" })
      .default(Number.MAX_SAFE_INTEGER)
      .describe("Number of the last batch that counts."),
  }),
  live: z.object({
    after: wholeNumber(0, 4_294_967_295).default(0).describe("Unix seconds; those after it."),
  }),
  fetch: z.object({
    deadlineMs: wholeNumber(100, 10_000).default(3_000).describe("So long hosts are waited for."),
  }),
  hostLane: z.object({
    instance: z
      .string()
      .min(1)
      .max(MAX_NAME_CHARS)
      .meta({ expected: `1 to ${MAX_NAME_CHARS} characters` })
      .optional()
      .describe("The process of an app, as a root of a trace names it."),
  }),
  rank: z.object({ action: oneAction, durationMs: milliseconds.describe("The duration to place.") }),
  heatmap: z.object({ action: oneAction, stepMs }),
  selection: z
    .object({
      action: oneAction,
      selectedFrom: moment.describe("Unix ms; where the part begins."),
      selectedTo: moment.describe("Unix ms; where it ends, after `selectedFrom`."),
      minMs: milliseconds.default(0).describe("Durations above it."),
      maxMs: milliseconds.optional().describe("Durations up to it, more than `minMs`; default: no limit."),
    })
    .refine(({ selectedFrom, selectedTo }) => selectedFrom < selectedTo, {
      path: ["selectedTo"],
      message: "must be after selectedFrom; both are Unix milliseconds",
    })
    .refine(({ minMs, maxMs }) => maxMs === undefined || minMs < maxMs, {
      path: ["maxMs"],
      message: "must be above minMs",
    }),
  ends: z.object({ limit: limitOf(100, 20) }),
};

/** Reads one call's parameters from its query. Parameters of other names are ignored. Throws BadParameter. */
export function readParameters<Call extends keyof ParameterSets>(
  call: Call,
  query: Record<string, string>,
): ParameterSets[Call] {
  const result = SCHEMAS[call].safeParse(query);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const name = issue?.path[0]?.toString() ?? "?";
  const isMissing = issue?.code === "invalid_type" && query[name] === undefined;
  throw new BadParameter(`the parameter "${name}" is ${isMissing ? "missing" : `wrong: ${issue?.message}`}`);
}

/** `from` and `to` in full windows, or in the longer units that the store has of that time. Throws BadParameter. */
export function readRange(
  query: Record<string, string>,
  nowMs: number,
  store: Pick<Store, "resolutionSec">,
): QueryRange {
  const { from, to } = readParameters("range", query);
  const windows = queryRange(from, to, nowMs);
  const range = inUnits(windows, store.resolutionSec(windows));
  if (to !== undefined && from !== undefined && from >= to)
    throw new BadParameter('"from" must be before "to"; both are Unix milliseconds');
  return range;
}

/** Both kinds are no filter at all. */
export function kindFilter(kind: KindParameter): "web" | "background" | undefined {
  return kind === "all" ? undefined : kind;
}
