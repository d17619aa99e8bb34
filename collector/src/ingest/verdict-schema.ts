import {
  CAUSE_KINDS,
  MAX_NAME_CHARS,
  MAX_VERDICT_CAUSES,
  type Verdict,
  type VerdictDoubt,
} from "@apm-daemon/protocol";
import * as z from "zod";
import { listOf } from "./fail-fast.ts";

/** As in header-schema.ts: texts and lists are bounded at four times what daemons keep. */
const SLACK = 4;
const name = z.string().max(SLACK * MAX_NAME_CHARS);
const whole = z.int().min(0);
const ratio = z.number().min(0).max(1);

const DOUBTS = [
  "short_request",
  "short_baseline",
  "missing_seconds",
  "close_causes",
  "little_explained",
  "not_measured",
] as const satisfies readonly VerdictDoubt[];

const cause = z.object({
  kind: z.enum(CAUSE_KINDS),
  metric: name,
  unit: z.enum(["ratio", "bytes", "bytes/s", "1/s", "1", "ms"]),
  value: z.number(),
  usual: z.number().nullable(),
  share: ratio,
  process: z.exactOptional(z.object({ pid: whole, command: name, cpuRatio: z.number().min(0) })),
  target: z.exactOptional(name),
  operation: z.exactOptional(name),
});

/** Why a request was slow, as its daemon says. */
export const verdict: z.ZodType<Verdict> = z.object({
  causes: listOf(cause, SLACK * MAX_VERDICT_CAUSES),
  time: z.object({
    part: z.enum(["code", "database", "cache", "external", "queue"]),
    ratio,
    target: name,
  }),
  confidence: z.enum(["high", "medium", "low"]),
  doubts: listOf(z.enum(DOUBTS), SLACK * DOUBTS.length),
  baselineSeconds: whole,
  seconds: whole,
});
