import { z } from "zod";

/** What one daemon said of a statement's text. */
export interface ToldText {
  host: string;
  state: "found" | "nothing" | "silent";
  text: string;
}

/** Longer than any daemon tells. */
const MAX_TEXT_CHARS = 16_384;
const TextSchema = z.object({ type: z.literal("text"), text: z.string().max(MAX_TEXT_CHARS) });

/** Waits for the TEXT message of one daemon; a message that is none tells nothing. */
export class TextAnswer {
  readonly #host: string;
  readonly #settle: (told: ToldText) => void;

  /** `settle` is called once. */
  constructor(host: string, settle: (told: ToldText) => void) {
    this.#host = host;
    this.#settle = settle;
  }

  take(message: unknown): boolean {
    const text = TextSchema.safeParse(message).data?.text ?? "";
    this.#settle({ host: this.#host, state: text === "" ? "nothing" : "found", text });
    return true;
  }

  giveUp(): void {
    this.#settle({ host: this.#host, state: "silent", text: "" });
  }
}
