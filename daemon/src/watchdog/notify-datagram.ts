/** Sends one message to the service manager; an answer other than "" says why it could not. */
export type NotifySender = (message: string) => string;

interface Libc {
  socket(family: number, type: number, protocol: number): number;
  sendto(fd: number, bytes: Buffer, length: number, flags: number, address: Buffer, size: number): number;
  close(fd: number): number;
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** sun_path of Linux with its final zero. */
const MAX_PATH_BYTES = 107;

/**
 * sd_notify(3) from this process itself, so that NotifyAccess=main is enough and no child is started for each sign of life: Node has
 * no datagrams on Unix sockets, three functions of libc have, through koffi. Or the reason why that is not possible. Never rejects.
 */
export async function openNotifySender(notifySocket: string): Promise<NotifySender | string> {
  const address = addressOf(notifySocket);
  if (process.platform !== "linux") return `on ${process.platform} there is no systemd`;
  if (address === null) return `NOTIFY_SOCKET=${notifySocket} is no address of a Unix socket`;
  let libc: Libc;
  try {
    const { default: koffi } = await import("koffi");
    const own = koffi.load(null);
    libc = {
      socket: own.func("int socket(int family, int type, int protocol)"),
      sendto: own.func(
        "intptr_t sendto(int fd, const uint8_t *bytes, size_t length, int flags, const uint8_t *address, uint32_t size)",
      ),
      close: own.func("int close(int fd)"),
    };
  } catch (error) {
    const [line = ""] = (error as Error).message.split("\n");
    return `the optional package koffi cannot be loaded (${line})`;
  }
  return (message) => {
    const bytes = Buffer.from(message);
    const fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return "no socket can be opened: see LimitNOFILE=";
    // Waiting for a full queue could hang the daemon together with systemd.
    const sent = libc.sendto(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length);
    libc.close(fd);
    return sent === bytes.length ? "" : `${notifySocket} did not take the message`;
  };
}

/** struct sockaddr_un; "@" begins the name of an abstract socket. */
function addressOf(notifySocket: string): Buffer | null {
  const path = Buffer.from(notifySocket);
  if (!/^[/@]/.test(notifySocket) || path.length > MAX_PATH_BYTES) return null;
  if (notifySocket.startsWith("@")) path[0] = 0;
  // In the machine's order of bytes.
  const family = Buffer.from(new Uint16Array([AF_UNIX]).buffer);
  return Buffer.concat([family, path]);
}
