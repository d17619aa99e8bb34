/**
 * Why one request was slow: what was unusual on its host, and in its process, while it ran, and how much of its time that explains.
 *
 * Two questions are asked of each measure, and both must be answered with yes.
 *
 * 1  Is it unusual? Its mean over the request's seconds, each weighted by how much of it belongs to the request, is compared
 *    with the seconds of the five minutes before the request began: median and median absolute deviation, which the odd burst
 *    does not move (usual.ts). Nothing is learned beforehand and nothing assumed of how values are distributed.
 * 2  Does it matter to this request? A saturated disk slows no timer. The request's time is split into pools by what can
 *    lengthen them (time-pools.ts): event loop busy without a CPU, busy with one, idle, waits here, waits elsewhere. Each cause
 *    takes of its pools what it explains; what it takes no other can take, so shares never add up to more than the whole.
 *    The specific goes before the general: a throttled process also waits for a CPU. What is left of a wait is the database's,
 *    the cache's or the service's own, which is how a wait and what lengthened it come to stand in the right order.
 *
 * Causes that explain less than a tenth are not named. None at all is a verdict, too: then the time went where `time` says.
 * A verdict says how sure it is by the doubts that it has: none is high, one medium, more are low.
 *
 * What is not promised: cause and coincidence look alike in seconds. That a measure was unusual in just the seconds of a slow
 * request, and could have had that effect, is evidence and no proof. What is always wrong on a host is usual there, and not named.
 */
import {
  type CauseKind,
  MAX_VERDICT_CAUSES,
  type Verdict,
  type VerdictCause,
  type VerdictDoubt,
} from "@apm-daemon/protocol";
import { FINDERS } from "./causes.ts";
import type { Noise } from "./noisy-process.ts";
import { mostTime, type TimeUse } from "./request-time.ts";
import type { Surroundings } from "./surroundings.ts";
import { TimePools } from "./time-pools.ts";
import { MIN_USUAL_SECONDS } from "./usual.ts";

export interface SlowRequest {
  durationMs: number;
  use: TimeUse;
  around: Surroundings;
  /** Of the host. */
  cores: number;
  /** Whether a target of calls is on this host. */
  isLocal: (target: string) => boolean;
  /** The process outside of the app's tree that took more than usual of the CPUs, or of the disks. */
  noisyProcess: (noise: Noise) => VerdictCause["process"] | null;
}

/** What a noisy process may be the reason of. */
const NOISES: Readonly<Partial<Record<CauseKind, Noise>>> = {
  cpu_contention: "cpuRatio",
  disk: "ioBytesPerSecond",
};
/** What explains less of a request than that is not named. */
const MIN_SHARE = 0.1;
/** Shorter ones are a part of one second, which shows everything else that happened in it, too. */
const SHORT_MS = 1_000;
const SHORT_BASELINE_SECONDS = 30;
const MIN_COVERAGE = 0.8;
/** A second cause that explains nearly as much as the first. */
const CLOSE_RATIO = 0.8;
const LITTLE_SHARE = 0.3;
/** Of less code than that it does not matter what the process was like. */
const SOME_CODE = 0.3;

export function judge(request: SlowRequest): Verdict {
  const { around, use, durationMs, cores } = request;
  const loopBusyRatio = around.loopBusyRatio();
  const cpuRatio = around.process("cpuRatio")?.value ?? null;
  const pools = new TimePools(use, { loopBusyRatio, cpuRatio }, request.isLocal);
  const causes = FINDERS.flatMap((find) => find({ around, use, durationMs, cores, pools }))
    .filter(({ share }) => share >= MIN_SHARE)
    .sort((a, b) => b.share - a.share)
    .slice(0, MAX_VERDICT_CAUSES)
    .map((cause) => withProcess(cause, request));
  const doubts = doubtsOf(request, causes, loopBusyRatio === null || cpuRatio === null);
  return {
    causes: causes.map((cause) => ({ ...cause, value: rounded(cause.value), share: rounded(cause.share) })),
    time: mostTime(use),
    confidence: confidenceOf(doubts, around),
    doubts,
    baselineSeconds: around.baselineSeconds,
    seconds: around.seconds,
  };
}

function withProcess(cause: VerdictCause, { noisyProcess }: SlowRequest): VerdictCause {
  const noise = NOISES[cause.kind];
  const process = noise === undefined ? null : noisyProcess(noise);
  return process === null || process === undefined ? cause : { ...cause, process };
}

function doubtsOf(
  { around, durationMs, use }: SlowRequest,
  causes: readonly VerdictCause[],
  isProcessUnknown: boolean,
): VerdictDoubt[] {
  const [first, second] = causes;
  const explained = causes.reduce((sum, { share }) => sum + share, 0);
  // How long a call took its span says to the microsecond, whatever the seconds show.
  const isWait = first?.metric === "durationMs";
  const isUnmeasured = around.host("psiCpuSomeRatio") === null || (isProcessUnknown && use.code >= SOME_CODE);
  const has: Record<VerdictDoubt, boolean> = {
    short_request: durationMs < SHORT_MS && !isWait,
    short_baseline: around.baselineSeconds < SHORT_BASELINE_SECONDS,
    missing_seconds: around.coverage < MIN_COVERAGE,
    close_causes: first !== undefined && second !== undefined && second.share >= CLOSE_RATIO * first.share,
    little_explained: first !== undefined && explained < LITTLE_SHARE,
    not_measured: isUnmeasured,
  };
  return (Object.keys(has) as VerdictDoubt[]).filter((doubt) => has[doubt]);
}

function confidenceOf(doubts: readonly VerdictDoubt[], around: Surroundings): Verdict["confidence"] {
  if (around.baselineSeconds < MIN_USUAL_SECONDS || doubts.length > 1) return "low";
  return doubts.length === 0 ? "high" : "medium";
}

/** Four digits: more would only make batches longer. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
