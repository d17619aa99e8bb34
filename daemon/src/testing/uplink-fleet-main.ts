/**
 * Many daemons' uplinks in one process, each with an empty outbox of its own: `URL KEY-FILE COUNT`. Prints the uplinks' log lines,
 * which say when each connected; ends on SIGTERM.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { DeadLetters } from "../outbox/dead-letters.ts";
import { Outbox } from "../outbox/outbox.ts";
import { PartsFolder } from "../outbox/parts-folder.ts";
import { readLicenseKey } from "../uplink/license-key.ts";
import { RefusedBatches } from "../uplink/refused-batches.ts";
import { SendQueue } from "../uplink/send-queue.ts";
import { Uplink } from "../uplink/uplink.ts";
import { sampleHeader } from "./sample-header.ts";

const [url = "", keyFile = "", count = "1"] = process.argv.slice(2);
const dir = mkdtempSync(join(tmpdir(), "apm-fleet-"));
const clock = { unixMs: (): number => Date.now() };

const fleet = Array.from({ length: Number(count) }, (_, i) => {
  const log = pino().child({ daemon: i });
  const of = (...parts: string[]): string => join(dir, String(i), ...parts);
  const parts = new PartsFolder(of("parts"));
  const queue = new SendQueue(new Outbox({ dir: of(), capBytes: 1e6 }), parts);
  const deadLetters = new DeadLetters({ dir: of("dead-letter"), capBytes: 1e6, clock });
  const stream = randomUUID();
  return new Uplink({
    url,
    readKey: () => readLicenseKey(keyFile),
    host: { ...sampleHeader(1).host, id: stream, name: `fleet-${i}` },
    queue,
    refused: new RefusedBatches({ queue, parts, deadLetters, onDeadLetter: () => undefined, log }),
    position: () => ({ stream, nextNumber: 1 }),
    log,
    clock,
    random: Math.random,
  });
});

process.once("SIGTERM", () => {
  void Promise.all(fleet.map((uplink) => uplink.stop(0))).then(() => {
    rmSync(dir, { recursive: true, force: true });
    process.exit();
  });
});
for (const uplink of fleet) uplink.start();
