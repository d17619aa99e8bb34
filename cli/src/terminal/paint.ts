import { styleText } from "node:util";
import type { Output } from "../cli-context.ts";

export type Paint = (style: Parameters<typeof styleText>[0], text: string) => string;

/** Leaves text as it is. */
export const noPaint: Paint = (_style, text) => text;

/** Colours for a terminal; none for files and pipes, or where the user set NO_COLOR (https://no-color.org). */
export function paintFor(output: Output, env: Readonly<Record<string, string | undefined>>): Paint {
  if (env.NO_COLOR || env.TERM === "dumb" || !output.isTTY) return noPaint;
  return (style, text) => styleText(style, text, { validateStream: false });
}
