import { existsSync, mkdirSync, watch } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * When a part is killed: at any time of its life; while it starts; or within milliseconds of a seal (a batch is being
 * written), of an acknowledgement (a batch is deleted) or of a roll (the journal begins a segment).
 */
export type KillMoment = "any" | "start-up" | "seal" | "ack" | "roll";

/** The kill falls at most this long after what is waited for: into it, or just behind it. */
const AT_MOST_AFTER_MS = 4;
const ANY_WITHIN_MS = 1_500;
/** What does not come by then is not waited for any longer. */
const GIVE_UP_MS = 12_000;

/** Resolves when it is time to kill. The folders may not be there yet. */
export async function waitForMoment(
  moment: KillMoment,
  stateDir: string,
  random: () => number,
): Promise<void> {
  if (moment === "any" || moment === "start-up") await sleep(random() * ANY_WITHIN_MS);
  else {
    await nextChange(stateDir, moment);
    await sleep(random() * AT_MOST_AFTER_MS);
  }
}

/** Resolves at the next change of the kind, or when none comes. */
async function nextChange(stateDir: string, kind: "seal" | "ack" | "roll"): Promise<void> {
  const folder = join(stateDir, kind === "roll" ? "journal" : "outbox");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const isIt = (name: string): boolean => {
    if (kind === "roll") return name.endsWith(".seg");
    if (kind === "seal") return name.endsWith(".batch.tmp");
    return name.endsWith(".batch") && !existsSync(join(folder, name));
  };
  await new Promise<void>((resolve) => {
    const watcher = watch(folder, (event, name) => {
      // "rename" tells of new, renamed and deleted files; "change" of every write to one.
      if (event === "rename" && name !== null && isIt(name)) done();
    });
    const timer = setTimeout(done, GIVE_UP_MS);
    function done(): void {
      clearTimeout(timer);
      watcher.close();
      resolve();
    }
  });
}
