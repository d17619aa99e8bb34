export type ProtocolErrorCode =
  | "FRAME_TOO_LARGE"
  | "FRAME_MALFORMED"
  | "VERSION_UNSUPPORTED"
  | "BATCH_MALFORMED"
  | "BATCH_CORRUPT"
  | "CODEC_UNSUPPORTED"
  | "LIMIT_EXCEEDED";

/** Bytes that break the protocol. `code` is stable; `context` names the sizes, versions or offsets involved. */
export class ProtocolError extends Error {
  readonly code: ProtocolErrorCode;
  readonly context: Readonly<Record<string, string | number>>;

  constructor(code: ProtocolErrorCode, message: string, context: Record<string, string | number> = {}) {
    super(message);
    this.name = "ProtocolError";
    this.code = code;
    this.context = context;
  }
}
