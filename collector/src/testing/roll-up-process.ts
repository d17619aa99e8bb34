/** Does the store's jobs in a process of its own, to be killed: `node roll-up-process.js STATE_DIR NOW_MS`. */
import { OpenedStore } from "./opened-store.ts";

const [stateDir = "", nowMs = ""] = process.argv.slice(2);
const opened = await OpenedStore.open(Number(nowMs), { days: 1 }, stateDir);
process.stdout.write("begun\n");
for (const job of ["minutes", "hours", "retention"] as const) await opened.store.maintain(job);
await opened.close();
process.stdout.write("done\n");
