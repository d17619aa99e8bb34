/** A web app under the agent at a steady rate of requests: whether what it holds grows, and whether all was recorded. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { startLoneDaemon } from "../support/lone-daemon.ts";
import { Program } from "../support/program.ts";
import { readStatus } from "../support/status-socket.ts";
import { RequestLoad } from "./request-load.ts";
import { slope } from "./slope.ts";

export const SOAK_REQUESTS_PER_SECOND = 5_000;
const LOOK_SECONDS = 15;
/** Code is compiled and tables find their size in this share of the run; slopes are of the rest. */
const WARM_UP_SHARE = 0.2;
const APP = fileURLToPath(new URL("../../apps/steady/app.js", import.meta.url));

/** What the app says of itself after a full collection. */
interface Look {
  answered: number;
  heapUsedBytes: number;
  rssBytes: number;
  externalBytes: number;
  arrayBuffersBytes: number;
  spansCreated: number;
  spansDropped: number;
}

export interface AppSoakReport {
  requests: number;
  requestsPerSecond: number;
  spansCreated: number;
  spansDropped: number;
  /** Received by the daemon. */
  spansReceived: number;
  firstHeapBytes: number;
  lastHeapBytes: number;
  maxHeapBytes: number;
  heapSlopeMbPerHour: number;
  maxRssBytes: number;
  rssSlopeMbPerHour: number;
}

export async function soakApp(
  cleanup: Cleanup,
  options: { seconds: number; say: (sentence: string) => void },
): Promise<AppSoakReport> {
  const { stateDir } = await startLoneDaemon(cleanup, { toml: "" });
  const app = await startSteadyApp(cleanup, stateDir.agentSocket);
  const load = await RequestLoad.open(app.url);
  const startMs = performance.now();
  const looks: ({ t: number } & Look)[] = [];
  while (performance.now() - startMs < options.seconds * 1_000) {
    await load.run(SOAK_REQUESTS_PER_SECOND, LOOK_SECONDS);
    const look = await app.look();
    const t = (performance.now() - startMs) / 1_000;
    looks.push({ t, ...look });
    options.say(
      `${Math.round(t)} s: ${look.answered} requests, heap ${mb(look.heapUsedBytes)}, external ${mb(look.externalBytes)}, resident ${mb(look.rssBytes)}, ${look.spansDropped} dropped`,
    );
  }
  const seconds = (performance.now() - startMs) / 1_000;
  await load.close();
  const last = await app.look();
  const statusSocket = join(stateDir.path, "run", "status.sock");
  const spansReceived = await eventually("the daemon has all spans", 60_000, async () => {
    const { intake } = await readStatus(statusSocket);
    if (intake.spans < last.spansCreated) throw new Error(`${intake.spans} of ${last.spansCreated}`);
    return intake.spans;
  });
  await app.end();
  const measured = looks.slice(Math.floor(looks.length * WARM_UP_SHARE));
  const perHour = (key: "heapUsedBytes" | "rssBytes"): number =>
    (slope(measured.map((look) => ({ t: look.t, value: look[key] }))).slope * 3_600) / 1e6;
  const heaps = measured.map(({ heapUsedBytes }) => heapUsedBytes);
  return {
    requests: load.answered,
    requestsPerSecond: load.answered / seconds,
    spansCreated: last.spansCreated,
    spansDropped: last.spansDropped,
    spansReceived,
    firstHeapBytes: heaps[0] ?? 0,
    lastHeapBytes: heaps.at(-1) ?? 0,
    maxHeapBytes: Math.max(...heaps),
    heapSlopeMbPerHour: perHour("heapUsedBytes"),
    maxRssBytes: Math.max(...measured.map(({ rssBytes }) => rssBytes)),
    rssSlopeMbPerHour: perHour("rssBytes"),
  };
}

async function startSteadyApp(
  cleanup: Cleanup,
  agentSocket: string,
): Promise<{ url: string; look(): Promise<Look>; end(): Promise<unknown> }> {
  const program = new Program({
    name: "steady",
    command: process.execPath,
    args: ["--expose-gc", "--import", "@apm-daemon/agent/register", APP],
    cwd: fileURLToPath(new URL("../../apps/steady/", import.meta.url)),
    env: { APM_SOCKET: agentSocket, APM_APP_NAME: "steady", APM_OVERHEAD_BUDGET: "0" },
    stdin: "pipe",
  });
  cleanup.add(async () => {
    await program.stop("SIGKILL");
  });
  const [, url = ""] = await program.waitForOutput(/listening on (http:\S+)/, 30_000);
  let looks = 0;
  return {
    url,
    look: async () => {
      const nth = ++looks;
      program.write("look\n");
      const line = await eventually("the app looks at itself", 30_000, () => {
        const lines = program.stdout.split("\n").filter((text) => text.startsWith("{") && text.endsWith("}"));
        if (lines.length < nth) throw new Error("no answer yet");
        return lines[nth - 1] as string;
      });
      return JSON.parse(line) as Look;
    },
    end: () => {
      program.write("end\n");
      return program.ended;
    },
  };
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}
