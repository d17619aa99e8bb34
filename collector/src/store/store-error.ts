/**
 * UNAVAILABLE: the store cannot do it now, whatever was asked. BUSY: too much is waiting. TIMEOUT: the query was
 * interrupted. DISK_LOW: there is too little free disk to write. All may work later; none was half done. CANCELLED: who asked has left.
 */
export type StoreErrorCode = "UNAVAILABLE" | "BUSY" | "TIMEOUT" | "DISK_LOW" | "CANCELLED";

export class StoreError extends Error {
  readonly code: StoreErrorCode;
  /** When it is worth trying again. */
  readonly retryAfterMs: number;

  constructor(code: StoreErrorCode, message: string, retryAfterMs: number, options?: { cause: unknown }) {
    super(message, options);
    this.name = "StoreError";
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}
