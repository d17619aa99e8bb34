/**
 * Who is at the other end of a Unix socket, as the kernel recorded it when that end was connected: nothing that the peer
 * says can change it. Node has no call for it, so one function of libc is called through koffi, an optional dependency. Where
 * it cannot be had there is no proof, and what apps say of themselves is shown as claimed.
 */
import type { Socket } from "node:net";

export interface PeerCredentials {
  uid: number;
  gid: number;
  /** As this host counts, also for an app in a container; null for a process that this daemon's own container cannot see. */
  pid: number | null;
}

/** Null when the descriptor is closed already. */
export type PeerCredentialsReader = (socket: Socket) => PeerCredentials | null;

/** Node's Unix socket; the field is not documented, and unchanged since Node 0.12. */
interface WithHandle {
  _handle?: { fd?: number } | null;
}

type GetSockOpt = (fd: number, level: number, name: number, value: Buffer, length: [number]) => number;

const SOL_SOCKET = 1;
/** Of Linux, by Node's name of the architecture. On others the number may be another, so there is none here. */
const SO_PEERCRED: Readonly<Record<string, number>> = {
  x64: 17,
  arm64: 17,
  arm: 17,
  ia32: 17,
  riscv64: 17,
  loong64: 17,
  ppc64: 21,
};
/** struct ucred: pid, uid, gid. */
const UCRED_BYTES = 12;
const NOBODY_CONNECTED = 0xffff_ffff;

/** The reader, or the reason why there is none on this system. Never rejects. */
export async function openPeerCredentials(
  platform: string = process.platform,
  arch: string = process.arch,
): Promise<PeerCredentialsReader | string> {
  const option = SO_PEERCRED[arch];
  if (platform !== "linux" || option === undefined)
    return `on ${platform} ${arch} the kernel is not asked who connects`;
  let getsockopt: GetSockOpt;
  try {
    const { default: koffi } = await import("koffi");
    const libc = koffi.load(null);
    getsockopt = libc.func(
      "int getsockopt(int fd, int level, int name, _Out_ uint8_t *value, _Inout_ uint32_t *length)",
    );
  } catch (error) {
    const [line = ""] = (error as Error).message.split("\n");
    return `the optional package koffi cannot be loaded (${line}): install it with npm install koffi`;
  }
  const ucred = Buffer.alloc(UCRED_BYTES);
  return (socket) => {
    const fd = (socket as Socket & WithHandle)._handle?.fd ?? -1;
    if (fd < 0) return null;
    const length: [number] = [UCRED_BYTES];
    if (getsockopt(fd, SOL_SOCKET, option, ucred, length) !== 0 || length[0] !== UCRED_BYTES) return null;
    const uid = ucred.readUInt32LE(4);
    if (uid === NOBODY_CONNECTED) return null;
    return { pid: ucred.readInt32LE(0) || null, uid, gid: ucred.readUInt32LE(8) };
  };
}
