import { join } from "node:path";
import type { KeyStore } from "@apm-daemon/collector";
import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { giveToOwnerOf } from "../password/give-to-owner.ts";
import { safeText } from "../terminal/safe-text.ts";
import { tableLines } from "../terminal/table.ts";

interface KeyOptions {
  stateDir?: string;
}

/** What a command's keys are called, and what for. */
interface KeyWords {
  name: "key" | "token";
  purpose: string;
}

const STATE_DIR = [
  "--state-dir <dir>",
  "state folder of the collector; default: the collector's default place",
] as const;

export function addKeyCommand(program: Command, context: CliContext): void {
  addCommands(program, context, { name: "key", purpose: "license keys that daemons report with" });
}

export function addTokenCommand(program: Command, context: CliContext): void {
  addCommands(program, context, {
    name: "token",
    purpose: "tokens that scripts read the API with where the console has a password",
  });
}

function addCommands(program: Command, context: CliContext, words: KeyWords): void {
  const { name: noun, purpose } = words;
  const key = program.command(noun).description(purpose);
  key
    .command("create")
    .description(`make a ${noun} and print it, alone and only this once`)
    .argument("<name>", `a name to tell ${noun}s apart`)
    .option(...STATE_DIR)
    .action(async (name: string, options: KeyOptions) => {
      const created = await withKeyStore(context, words, options, (keys) => keys.create(name));
      context.stdout.write(`${created.key}\n`);
    });
  key
    .command("list")
    .description(`names of the ${noun}s, oldest first`)
    .option(...STATE_DIR)
    .action(async (options: KeyOptions) => {
      const infos = await withKeyStore(context, words, options, (keys) => keys.list());
      if (infos.length === 0)
        context.stderr.write(`apm: there are no ${noun}s yet; make one with "apm ${noun} create NAME"\n`);
      else context.stdout.write(`${keyTable(infos)}\n`);
    });
  key
    .command("revoke")
    .description(`refuse a ${noun} from now on`)
    .argument("<name>", `name or id of the ${noun}`)
    .option(...STATE_DIR)
    .action(async (name: string, options: KeyOptions) => {
      const revoked = await withKeyStore(context, words, options, (keys) => keys.revoke(name));
      context.stderr.write(`apm: the ${noun} "${safeText(revoked.name)}" is revoked\n`);
    });
}

function keyTable(infos: readonly { id: string; name: string; createdUnixMs: number }[]): string {
  return tableLines(
    [
      { title: "name", align: "left" },
      { title: "id", align: "left" },
      { title: "created", align: "left" },
    ],
    infos.map(({ name, id, createdUnixMs }) => [safeText(name), id, new Date(createdUnixMs).toISOString()]),
  ).join("\n");
}

/** Wrong names are wrong usage; other refusals of the key store are failures of this run. */
async function withKeyStore<T>(
  context: CliContext,
  words: KeyWords,
  options: KeyOptions,
  use: (keys: KeyStore) => T,
): Promise<T> {
  const { API_TOKENS, CollectorError, KeyStore } = await import("@apm-daemon/collector");
  const { loadCollectorConfig } = await import("../config/program-config.ts");
  const { config } = await loadCollectorConfig(context, options);
  try {
    const isToken = words.name === "token";
    const { state_dir: stateDir } = config;
    const result = use(isToken ? new KeyStore(stateDir, Date.now, API_TOKENS) : new KeyStore(stateDir));
    if (context.isRoot) giveToOwnerOf(stateDir, join(stateDir, isToken ? "tokens.json" : "keys.json"));
    return result;
  } catch (cause) {
    if (!(cause instanceof CollectorError)) throw cause;
    const code = cause.code === "KEY_NAME_INVALID" ? "USAGE" : "KEY_REFUSED";
    throw new CliError(code, cause.message, { cause });
  }
}
