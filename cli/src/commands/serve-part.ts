import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { type StopSignal, stopRequest } from "./stop-request.ts";

/** A started daemon or collector. */
export interface ServedPart {
  /** What `apm up` needs to know of it: see ReadyMessage. */
  address: string;
  stop(): Promise<void>;
  /** A stop that takes longer, on a disk that hangs, is broken off; without it, it may take its time. */
  stopWithinMs?: number;
}

/** Runs a part until one of the signals or the end of `apm up` stops it; the exit code. Throws START_REFUSED. */
export async function servePart(
  context: CliContext,
  start: () => Promise<ServedPart>,
  signals?: readonly StopSignal[],
): Promise<number> {
  const stopRequested = stopRequest(context, undefined, signals);
  const part = await startedPart(start);
  context.parent?.send({ type: "ready", address: part.address });
  await stopRequested;
  const deadline =
    part.stopWithinMs === undefined ? null : setTimeout(() => breakOff(context), part.stopWithinMs);
  await part.stop();
  if (deadline !== null) clearTimeout(deadline);
  return 0;
}

/** An exit would wait for the call that hangs: measured, it takes as long as an fsync does. */
function breakOff(context: CliContext): void {
  context.stderr.write(
    "apm: the stop takes too long, the disk seems to hang; ended without it. What was acknowledged is counted at the next start\n",
  );
  context.killAtOnce();
}

async function startedPart(start: () => Promise<ServedPart>): Promise<ServedPart> {
  try {
    return await start();
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    // The parts' own errors and the system's carry a code; anything else is a bug and shows its stack.
    if (cause instanceof Error && typeof (cause as { code?: unknown }).code === "string") {
      throw new CliError("START_REFUSED", cause.message, { cause });
    }
    throw cause;
  }
}
