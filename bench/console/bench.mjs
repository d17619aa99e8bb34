// What the console costs: answers of the collector over a store of 30 days x 20 hosts x 200 actions, the first view, drawing, batches
// of 500 hosts on one core, memory of live mode.
//   npm run bench -- console [--state-dir DIR] [--rounds 20] [--only queries,view,charts,ingest,live] [--live-minutes 1]
// The store is filled on the first run (fill.mjs, some minutes, some GB) and kept in the folder, by default one below the system's for
// temporary files; later runs fill what is missing up to now. `--page NAME` asks what that page asks and shows single calls.
import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { print, round } from "../support/options.mjs";
import { launch, measureCharts, measureFirstView, measureLive } from "./browser.mjs";
import { startApm } from "./collector.mjs";
import { fill } from "./fill.mjs";
import { measureIngest } from "./ingest.mjs";
import { BAR_MS, measureQueries } from "./queries.mjs";

const { values } = parseArgs({
  options: {
    "state-dir": { type: "string" },
    days: { type: "string", default: "30" },
    hosts: { type: "string", default: "20" },
    actions: { type: "string", default: "200" },
    quick: { type: "boolean", default: false },
    rounds: { type: "string", default: "20" },
    only: { type: "string", default: "queries,view,charts,ingest,live" },
    page: { type: "string" },
    "ingest-hosts": { type: "string", default: "500" },
    "ingest-seconds": { type: "string", default: "40" },
    "live-minutes": { type: "string", default: "1" },
  },
});
const [days, hosts, actions, rounds] = [values.days, values.hosts, values.actions, values.rounds].map(Number);
const wanted = values.only.split(",");
const stateDir = values["state-dir"] ?? join(tmpdir(), `apm-bench-console-${days}-${hosts}-${actions}`);

let endSec = 0;
if (["queries", "view", "charts"].some((part) => wanted.includes(part))) {
  mkdirSync(stateDir, { recursive: true });
  const isNew = !existsSync(join(stateDir, "filled.json"));
  if (isNew) console.error(`filling ${stateDir}`);
  const filled = await fill({ stateDir, days, hosts, actions, isQuick: values.quick });
  endSec = filled.endSec;
  const megabytes = Object.fromEntries(
    Object.entries(filled.bytesByKind).map(([kind, bytes]) => [kind, round(bytes / 1e6, 1)]),
  );
  print("console fill", { days, hosts, actions, isNew, seconds: round(filled.seconds, 1), megabytes });
}

const browser = wanted.some((part) => ["view", "charts", "live"].includes(part)) ? await launch() : null;
try {
  if (endSec > 0) {
    const collector = await startApm("collector", stateDir);
    try {
      if (wanted.includes("queries")) {
        const above = await measureQueries({
          url: collector.url,
          endSec,
          hosts,
          actions,
          rounds,
          only: values.page,
          shows: values.page !== undefined,
        });
        print("console bar", {
          barMs: BAR_MS,
          above: above.map(({ page, range, p95Ms }) => `${page} ${range} ${p95Ms}`),
        });
      }
      if (wanted.includes("view")) await measureFirstView(browser, collector.url);
      if (wanted.includes("charts")) await measureCharts(browser, collector.url);
    } finally {
      await collector.stop();
    }
  }
  if (wanted.includes("ingest"))
    await measureIngest({ hosts: Number(values["ingest-hosts"]), seconds: Number(values["ingest-seconds"]) });
  if (wanted.includes("live")) await measureLive(browser, Number(values["live-minutes"]));
} finally {
  await browser?.close();
}
