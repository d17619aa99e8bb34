/** A collector in a process of its own, to be killed: `node collector-process.js STATE_DIR`. Prints "<url>" when ready. */
import { pino } from "pino";
import { startCollector } from "../collector.ts";
import { CollectorConfigSchema } from "../config.ts";

const [stateDir = ""] = process.argv.slice(2);
try {
  const { url } = await startCollector({
    config: CollectorConfigSchema.parse({
      state_dir: stateDir,
      listen: "127.0.0.1:0",
      store: { min_free_disk_mb: 0, min_free_disk_ratio: 0 },
    }),
    consoleDir: "/nowhere",
    version: "0.1.0-test",
    log: pino({ level: "silent" }),
  });
  process.stdout.write(`${url}\n`);
} catch (error) {
  process.stdout.write(`failed ${(error as { code?: string }).code}: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
