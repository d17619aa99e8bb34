import { diskProblem } from "../disk/disk-problem.ts";
import type { DiskReserve } from "../disk/disk-reserve.ts";
import type { Sealer } from "../outbox/sealer.ts";

const NOT_TAKEN_IN = "spans are not taken in, they stay with the apps as far as these have room";

/** Why nothing may be taken in now although the journal may be writable; "" when it may. Takes the reserve's room again when it can. */
export function reasonToHold(
  sealer: Pick<Sealer, "isFull" | "problem">,
  reserve: DiskReserve,
  journalDir: string,
): string {
  if (sealer.isFull) return `${NOT_TAKEN_IN}: ${sealer.problem}`;
  try {
    reserve.restore();
    return "";
  } catch (error) {
    return journalProblem(journalDir, error as NodeJS.ErrnoException);
  }
}

/** What to say while the journal cannot be written. */
export function journalProblem(journalDir: string, error: NodeJS.ErrnoException): string {
  return `${NOT_TAKEN_IN}: ${diskProblem("the journal", journalDir, error)}`;
}
