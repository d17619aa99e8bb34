import type { CauseKind, Verdict, VerdictCause, VerdictDoubt } from "@apm-daemon/protocol";
import { shownBytes, shownMs, shownRatio } from "../terminal/quantities.ts";
import { safeText } from "../terminal/safe-text.ts";

const CAUSES: Readonly<Record<CauseKind, string>> = {
  cpu_steal: "CPU stolen by the hypervisor",
  cpu_contention: "other processes had the CPUs",
  cpu_throttling: "the app had used up its CPU quota",
  memory_pressure: "memory was short",
  swap: "memory was swapped",
  disk: "the disk was busy",
  network: "packets were lost",
  garbage_collection: "garbage collection",
  event_loop: "the app's own code blocked its event loop",
  database: "the database",
  cache: "the cache",
  external: "the service",
};

/** What the number is of, where the cause does not say so. */
const MEASURES: Readonly<Record<string, string>> = {
  cpuStealRatio: "",
  psiCpuSomeRatio: "waiting for a CPU",
  procsRunnable: "runnable tasks",
  cgroupThrottledRatio: "held back",
  psiMemorySomeRatio: "waiting for memory",
  swapInBytesPerSecond: "read back",
  swapOutBytesPerSecond: "written out",
  psiIoSomeRatio: "waiting for I/O",
  diskBusyRatio: "busy",
  diskAwaitMs: "a request took",
  cpuIowaitRatio: "I/O wait",
  tcpRetransmitsPerSecond: "sent again",
  gcPauseMs: "pauses of",
  eventLoopDelayP99Ms: "late by",
};

const DOUBTS: Readonly<Record<VerdictDoubt, string>> = {
  short_request: "the request is shorter than the seconds it is judged by",
  short_baseline: "little is known of the time before",
  missing_seconds: "seconds of it are missing",
  close_causes: "several causes are about as strong",
  little_explained: "that explains a small part of the time",
  not_measured: "not all is measured on this host",
};

const PARTS: Readonly<Record<Verdict["time"]["part"], string>> = {
  code: "the code",
  database: "the database",
  cache: "the cache",
  external: "the service",
  queue: "the queue before the app",
};

const SHARES: readonly [number, string][] = [
  [0.9, "nearly all"],
  [0.65, "most"],
  [0.4, "about half"],
  [0.28, "about a third"],
  [0.18, "about a fifth"],
  [0, "about a tenth"],
];

/** "CPU stolen by the hypervisor 31 % (usual 1 %)", with the noisy process by its name. */
export function causeText(cause: VerdictCause): string {
  if (cause.metric === "durationMs") return `${CAUSES[cause.kind]}${placeOf(cause.target ?? "")}`;
  const measure = MEASURES[cause.metric] ?? cause.metric;
  const usual =
    cause.usual === null ? "what is usual is not known" : `usual ${amount(cause.usual, cause.unit)}`;
  const what = measure === "" ? CAUSES[cause.kind] : `${CAUSES[cause.kind]}: ${measure}`;
  const text = `${what} ${amount(cause.value, cause.unit)} (${usual})`;
  return cause.process === undefined ? text : `${text}, most of all ${processText(cause.process)}`;
}

/** "explains about half of the 2.1 s" */
export function shareText({ metric, value, share }: VerdictCause, durationMs: number): string {
  const [, words] = SHARES.find(([least]) => share >= least) ?? [0, "a little"];
  const whole = `${words} of the ${shownMs(durationMs)}`;
  return metric === "durationMs" ? `waited for ${shownMs(value)}, explains ${whole}` : `explains ${whole}`;
}

/** What is said when there is no cause. */
export function nothingText({ time }: Verdict): string {
  const where = `${PARTS[time.part]}${time.part === "code" || time.part === "queue" ? "" : placeOf(time.target)}`;
  return `nothing unusual on the host: the time is in ${where}`;
}

/** "sure", or how sure and why no surer. */
export function confidenceText({ confidence, doubts }: Verdict): string {
  const sure = { high: "sure", medium: "fairly sure", low: "not sure" }[confidence];
  return doubts.length === 0 ? sure : `${sure}: ${doubts.map((doubt) => DOUBTS[doubt] ?? doubt).join(", ")}`;
}

function processText({ pid, command, cpuRatio }: NonNullable<VerdictCause["process"]>): string {
  return `${safeText(command)} (pid ${pid}, ${shownRatio(cpuRatio)} of a core)`;
}

function placeOf(target: string): string {
  return target === "" ? "" : ` ${safeText(target)}`;
}

function amount(value: number, unit: VerdictCause["unit"]): string {
  switch (unit) {
    case "ratio":
      return shownRatio(value);
    case "ms":
      return shownMs(value);
    case "bytes":
      return shownBytes(value);
    case "bytes/s":
      return `${shownBytes(value)}/s`;
    case "1/s":
      return `${Number(value.toPrecision(2))} a second`;
    default:
      return String(Number(value.toPrecision(2)));
  }
}
