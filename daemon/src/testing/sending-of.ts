import { join } from "node:path";
import type { TestContext } from "node:test";
import { type DeadLetter, DeadLetters } from "../outbox/dead-letters.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { PartsFolder } from "../outbox/parts-folder.ts";
import { RefusedBatches } from "../uplink/refused-batches.ts";
import { SendQueue } from "../uplink/send-queue.ts";
import { LoggedLines } from "./logged-lines.ts";
import { tempDir } from "./temp-dir.ts";

export interface Sending {
  queue: SendQueue;
  refused: RefusedBatches;
  parts: PartsFolder;
  deadLetters: DeadLetters;
  lost: Pick<DeadLetter, "header" | "code" | "message">[];
  logged: LoggedLines;
}

/** What stands between an outbox and the uplink, wired as in the daemon, in folders below `dir`. */
export function sendingOf(t: TestContext, outbox: Outbox, dir: string = tempDir(t)): Sending {
  const parts = new PartsFolder(join(dir, "parts"));
  parts.finishSplits(outbox);
  const deadLetters = new DeadLetters({
    dir: join(dir, "dead-letter"),
    capBytes: 1e9,
    clock: { unixMs: () => 1_790_000_000_000 },
  });
  const queue = new SendQueue(outbox, parts);
  const lost: Sending["lost"] = [];
  const logged = new LoggedLines();
  const refused = new RefusedBatches({
    queue,
    parts,
    deadLetters,
    onDeadLetter: (letter) => lost.push(letter),
    log: logged.log,
  });
  return { queue, refused, parts, deadLetters, lost, logged };
}
