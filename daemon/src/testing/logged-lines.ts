import { type Logger, pino } from "pino";

/** A logger whose lines a test can read. */
export class LoggedLines {
  readonly sentences: string[] = [];
  /** As JSON. */
  readonly lines: string[] = [];
  readonly log: Logger = pino(
    { level: "debug" },
    {
      write: (line: string) => {
        this.lines.push(line);
        this.sentences.push((JSON.parse(line) as { msg: string }).msg);
      },
    },
  );
}
