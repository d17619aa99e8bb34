import type { Hello } from "@apm-daemon/protocol";
import type { PeerCredentials } from "./peer-credentials.ts";
import { isInnerPid, startTicksOf } from "./process-identity.ts";

/** Whose process an instance is. */
export interface InstanceOrigin {
  /** "proven": uid and pid are the kernel's word. "claimed": the pid is what the app says. */
  readonly origin: "proven" | "claimed";
  /** Null when not proven. */
  readonly uid: number | null;
  /** As this host counts, where proven. */
  readonly pid: number;
  readonly claimedPid: number;
  /** The claimed pid is neither the proven one nor that process's pid in its container. */
  readonly isClaimFalse: boolean;
  /** With the pid it names one process for good; null where not proven. */
  readonly startTicks: number | null;
}

/** Of who says hello; `peer` is null where the kernel cannot be asked. */
export function originOf(hello: Hello, peer: PeerCredentials | null): InstanceOrigin {
  const claimedPid = hello.pid;
  const uid = peer?.uid ?? null;
  if (peer === null || peer.pid === null)
    return { origin: "claimed", uid, pid: claimedPid, claimedPid, isClaimFalse: false, startTicks: null };
  const { pid } = peer;
  const isClaimFalse = pid !== claimedPid && !isInnerPid(pid, claimedPid);
  return { origin: "proven", uid, pid, claimedPid, isClaimFalse, startTicks: startTicksOf(pid) };
}

/** Of a record in the journal. */
export function recoveredOrigin({
  pid,
  ...known
}: Pick<InstanceOrigin, "pid"> & Partial<InstanceOrigin>): InstanceOrigin {
  return {
    origin: known.origin === "proven" ? "proven" : "claimed",
    uid: known.uid ?? null,
    pid,
    claimedPid: known.claimedPid ?? pid,
    isClaimFalse: known.isClaimFalse ?? false,
    startTicks: known.startTicks ?? null,
  };
}

/** Whether who says hello can be the known instance: of the same user, or the same process, which has changed its user since. */
export function mayBe(known: InstanceOrigin, origin: InstanceOrigin): boolean {
  if (known.uid === null || origin.uid === null || known.uid === origin.uid) return true;
  return known.startTicks !== null && known.pid === origin.pid && known.startTicks === origin.startTicks;
}
