export type DaemonErrorCode =
  | "STATE_DIR_NOT_WRITABLE"
  | "STATE_DIR_IN_USE"
  | "RUN_DIR_IN_USE"
  | "SOCKET_IN_USE"
  | "SOCKET_PATH_TOO_LONG"
  | "SOCKET_PATH_TAKEN"
  | "SOCKET_UNUSABLE"
  | "LICENSE_KEY_UNREADABLE"
  | "RECORD_CORRUPT";

/** Something the daemon cannot work with; `message` says what, of what, and what to do. */
export class DaemonError extends Error {
  readonly code: DaemonErrorCode;

  constructor(code: DaemonErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DaemonError";
    this.code = code;
  }
}
