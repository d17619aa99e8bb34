import type { Input, Output } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";

const MAX_LINE_BYTES = 4_096;

/** The first line of what is piped in, without its end. Throws USAGE when nothing comes. */
export async function readFirstLine(input: Input): Promise<string> {
  const text = await new Promise<string>((resolve) => {
    let read = "";
    const done = (): void => {
      input.off("data", take);
      input.pause();
      resolve(read);
    };
    const take = (bytes: Uint8Array): void => {
      read += Buffer.from(bytes).toString("utf8");
      if (read.includes("\n") || read.length > MAX_LINE_BYTES) done();
    };
    input.on("data", take);
    input.once("end", done);
    input.resume();
  });
  const line = (text.split("\n", 1)[0] ?? "").replace(/\r$/, "");
  if (line === "")
    throw new CliError(
      "USAGE",
      "no password came: type it in a terminal, or pipe it in as one line, never as an argument",
    );
  return line;
}

/** Asks at the terminal without showing what is typed. Throws USAGE when it is broken off. */
export async function askHidden(input: Input, output: Output, question: string): Promise<string> {
  output.write(question);
  input.setRawMode?.(true);
  try {
    return await typedLine(input);
  } finally {
    input.setRawMode?.(false);
    input.pause();
    output.write("\n");
  }
}

function typedLine(input: Input): Promise<string> {
  return new Promise((resolve, reject) => {
    let line = "";
    const take = (bytes: Uint8Array): void => {
      for (const char of Buffer.from(bytes).toString("utf8")) {
        if (char === "\r" || char === "\n") return end(() => resolve(line));
        if (char === "\u0003" || char === "\u0004")
          return end(() => reject(new CliError("USAGE", "broken off: nothing was changed")));
        line = char === "\u007f" || char === "\b" ? Array.from(line).slice(0, -1).join("") : line + char;
      }
    };
    const end = (settle: () => void): void => {
      input.off("data", take);
      settle();
    };
    input.on("data", take);
    input.resume();
  });
}
