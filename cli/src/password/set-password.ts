import { join } from "node:path";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { loadCollectorConfig } from "../config/program-config.ts";
import { giveToOwnerOf } from "./give-to-owner.ts";
import { askHidden, readFirstLine } from "./hidden-input.ts";

export interface PasswordOptions {
  stateDir?: string;
  remove?: boolean;
}

/** Sets or removes the console's password; a collector that runs uses it at once. Throws USAGE or PASSWORD_REFUSED. */
export async function setPassword(
  context: CliContext,
  { remove, ...options }: PasswordOptions,
): Promise<void> {
  const { PasswordStore, CollectorError } = await import("@apm-daemon/collector");
  const { config } = await loadCollectorConfig(context, options);
  const passwords = new PasswordStore(config.state_dir);
  try {
    if (remove) {
      const sentence = passwords.remove() ? "the console has no password any more" : "there was no password";
      context.stderr.write(`apm: ${sentence}\n`);
      return;
    }
    await passwords.set(await newPassword(context));
    if (context.isRoot) giveToOwnerOf(config.state_dir, join(config.state_dir, "password.json"));
  } catch (cause) {
    if (!(cause instanceof CollectorError)) throw cause;
    const code = cause.code === "PASSWORD_NOT_USABLE" ? "USAGE" : "PASSWORD_REFUSED";
    throw new CliError(code, cause.message, { cause });
  }
  context.stderr.write("apm: the password is set; whoever was logged in must log in again\n");
}

async function newPassword(context: CliContext): Promise<string> {
  const { stdin, stderr } = context;
  if (stdin.isTTY !== true) return await readFirstLine(stdin);
  const password = await askHidden(stdin, stderr, "new password: ");
  const again = await askHidden(stdin, stderr, "once more: ");
  if (password !== again)
    throw new CliError("USAGE", "the two are not the same: nothing was changed, try again");
  return password;
}
