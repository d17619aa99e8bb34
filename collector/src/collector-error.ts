/** Why a collector could not start or a key command failed. */
export type CollectorErrorCode =
  | "PORT_IN_USE"
  | "ADDRESS_NOT_AVAILABLE"
  | "STATE_DIR_NOT_WRITABLE"
  | "STATE_DIR_IN_USE"
  | "KEYS_UNREADABLE"
  | "KEYS_BUSY"
  | "KEY_NAME_INVALID"
  | "KEY_NAME_TAKEN"
  | "KEY_UNKNOWN"
  | "KEYS_TOO_MANY"
  | "SETTINGS_TOO_MANY"
  | "SETTINGS_UNREADABLE"
  | "PASSWORD_MISSING"
  | "PASSWORD_NOT_USABLE"
  | "PASSWORD_UNREADABLE";

/** One sentence for a person: what happened, to what, and what to do next. `code` is stable. */
export class CollectorError extends Error {
  readonly code: CollectorErrorCode;

  constructor(code: CollectorErrorCode, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = "CollectorError";
    this.code = code;
  }
}
