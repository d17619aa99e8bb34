export type CliErrorCode =
  | "USAGE"
  | "CONFIG_INVALID"
  | "FILE_UNREADABLE"
  | "FILE_EXISTS"
  | "START_REFUSED"
  | "NOTHING_LISTENING"
  | "NO_ANSWER"
  | "BATCH_UNREADABLE"
  | "KEY_REFUSED"
  | "PASSWORD_REFUSED"
  | "SERVICE_REFUSED";

const EXIT_CODES: Readonly<Record<CliErrorCode, number>> = {
  USAGE: 2,
  CONFIG_INVALID: 2,
  FILE_UNREADABLE: 2,
  FILE_EXISTS: 2,
  START_REFUSED: 2,
  NOTHING_LISTENING: 3,
  NO_ANSWER: 1,
  BATCH_UNREADABLE: 1,
  KEY_REFUSED: 1,
  PASSWORD_REFUSED: 1,
  SERVICE_REFUSED: 1,
};

/** Ends a command: `message` is shown to the user as it is, `exitCode` is the process's. */
export class CliError extends Error {
  readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = "CliError";
    this.code = code;
  }

  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}
