import { chownSync, statSync } from "node:fs";
import { join } from "node:path";
import type { KeyStore } from "@apm-daemon/collector";
import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { safeText } from "../terminal/safe-text.ts";
import { tableLines } from "../terminal/table.ts";

interface KeyOptions {
  stateDir?: string;
}

const STATE_DIR = [
  "--state-dir <dir>",
  "state folder of the collector; default: the collector's default place",
] as const;

export function addKeyCommand(program: Command, context: CliContext): void {
  const key = program.command("key").description("license keys that daemons report with");
  key
    .command("create")
    .description("make a key and print it, alone and only this once")
    .argument("<name>", "a name to tell keys apart")
    .option(...STATE_DIR)
    .action(async (name: string, options: KeyOptions) => {
      const created = await withKeyStore(context, options, (keys) => keys.create(name));
      context.stdout.write(`${created.key}\n`);
    });
  key
    .command("list")
    .description("names of the keys, oldest first")
    .option(...STATE_DIR)
    .action(async (options: KeyOptions) => {
      const infos = await withKeyStore(context, options, (keys) => keys.list());
      if (infos.length === 0)
        context.stderr.write('apm: there are no keys yet; make one with "apm key create NAME"\n');
      else context.stdout.write(`${keyTable(infos)}\n`);
    });
  key
    .command("revoke")
    .description("refuse a key from now on")
    .argument("<name>", "name or id of the key")
    .option(...STATE_DIR)
    .action(async (name: string, options: KeyOptions) => {
      const revoked = await withKeyStore(context, options, (keys) => keys.revoke(name));
      context.stderr.write(`apm: the key "${safeText(revoked.name)}" is revoked\n`);
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
  options: KeyOptions,
  use: (keys: KeyStore) => T,
): Promise<T> {
  const { KeyStore, CollectorError } = await import("@apm-daemon/collector");
  const { loadCollectorConfig } = await import("../config/program-config.ts");
  const { config } = await loadCollectorConfig(context, options);
  try {
    const result = use(new KeyStore(config.state_dir));
    if (context.isRoot) giveToOwnerOf(config.state_dir);
    return result;
  } catch (cause) {
    if (!(cause instanceof CollectorError)) throw cause;
    const code = cause.code === "KEY_NAME_INVALID" ? "USAGE" : "KEY_REFUSED";
    throw new CliError(code, cause.message, { cause });
  }
}

/** What root writes here, a collector that runs as another user must be able to read. */
function giveToOwnerOf(stateDir: string): void {
  const file = join(stateDir, "keys.json");
  const owner = statSync(stateDir, { throwIfNoEntry: false });
  const present = statSync(file, { throwIfNoEntry: false });
  if (owner && present && present.uid !== owner.uid) {
    chownSync(file, owner.uid, owner.gid);
  }
}
