import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { cpus } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CauseKind } from "@apm-daemon/protocol";
import { Client } from "pg";
import { type Agent, type RunningApp, startPatient } from "../support/apps.ts";
import type { Cleanup } from "../support/cleanup.ts";
import { CpuCgroup, skipWithoutCpuCgroup } from "../support/cpu-cgroup.ts";
import { DATABASE_STARTERS } from "../support/databases.ts";
import { freePort } from "../support/free-port.ts";
import { HostAtAWire } from "../support/host-at-a-wire.ts";
import { createMemoryCgroup, skipWithoutMemoryCgroup } from "../support/memory-cgroup.ts";
import { missingParts } from "../support/parts.ts";
import { Program } from "../support/program.ts";
import { withCpuHogs, withDiskHogs, withMemoryHog } from "./hogs.ts";

/** One way for a request to be slow, made for real. */
export interface Stage {
  name: string;
  /** Of the request that is looked at afterwards; the last one of it. */
  action: string;
  /** What a verdict should name first; null when nothing is unusual. */
  cause: CauseKind | null;
  /** Why it cannot be staged here; "" when it can. */
  skip: string;
  run: () => Promise<unknown>;
}

/** This machine does not let it be staged. */
export class CannotStage extends Error {}

const MIB = 1_048_576;
/** Half of what the memory limit leaves, and more than is left beside the hog. */
const FILE_MIB = 64;
const HOG_MIB = 76;
const MEMORY_LIMIT_MIB = 128;
const SWAP_FILE_MIB = 256;
const TOUCHED_MIB = 144;
const HELD_MS = 2_000;
/** A request that the network loses several times must not find its connection closed. */
const SERVER = `
  require("node:http").createServer({ keepAliveTimeout: 60_000 }, (_, res) => res.end("far\\n")).listen(+process.argv[1], "0.0.0.0", () => console.log("ready"));
`;

/** Above so many tasks for each CPU a few more are nothing unusual, and what is late is so for lack of a CPU. */
const BUSY_TASKS_PER_CPU = 3;

/** Tasks that run or wait for a CPU, on average of some seconds; this process is one of them. */
export async function runningTasks(seconds: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < seconds; i++) {
    await sleep(1_000);
    sum += Number(readFileSync("/proc/loadavg", "utf8").split(" ")[3]?.split("/")[0]);
  }
  return sum / seconds;
}

/** The apps and servers that the stages need, all begun long before so that it is known what is usual of them. */
export class Theatre {
  readonly #cleanup: Cleanup;
  readonly #folder: string;
  readonly #app: RunningApp;
  readonly #throttled: { app: RunningApp; cgroup: CpuCgroup } | null;
  readonly #cramped: { app: RunningApp; cgroup: string } | null;
  readonly #startSwapping: (() => Promise<RunningApp>) | null;
  #swapping: RunningApp | null = null;
  readonly #postgres: Client | null;
  readonly #far: { url: string; host: HostAtAWire } | null;
  readonly #slowUrl: string;

  private constructor(parts: {
    cleanup: Cleanup;
    folder: string;
    app: RunningApp;
    throttled: { app: RunningApp; cgroup: CpuCgroup } | null;
    cramped: { app: RunningApp; cgroup: string } | null;
    startSwapping: (() => Promise<RunningApp>) | null;
    postgres: Client | null;
    far: { url: string; host: HostAtAWire } | null;
    slowUrl: string;
  }) {
    this.#cleanup = parts.cleanup;
    this.#folder = parts.folder;
    this.#app = parts.app;
    this.#throttled = parts.throttled;
    this.#cramped = parts.cramped;
    this.#startSwapping = parts.startSwapping;
    this.#postgres = parts.postgres;
    this.#far = parts.far;
    this.#slowUrl = parts.slowUrl;
  }

  /** Begins everything. `folder` lies on a real disk. */
  static async open(cleanup: Cleanup, socket: string, folder: string): Promise<Theatre> {
    const agent = (name: string): Agent => ({ by: "--import", socket, name });
    const postgresUrl =
      missingParts(["postgresql"]).length > 0 ? "" : await DATABASE_STARTERS["postgresql"]?.start(cleanup);
    const cgroup = skipWithoutCpuCgroup() === false ? new CpuCgroup(cleanup) : null;
    const [cramped, swapping] =
      skipWithoutMemoryCgroup() === false
        ? ["cramped", "swapping"].map((name) => createMemoryCgroup(cleanup, MEMORY_LIMIT_MIB * MIB, name))
        : [];
    const theatre = new Theatre({
      cleanup,
      folder,
      app: await startPatient(cleanup, agent("patient"), { postgresUrl: postgresUrl ?? "" }),
      throttled: cgroup && {
        app: await startPatient(cleanup, agent("throttled"), { cgroupProcs: cgroup.procs }),
        cgroup,
      },
      cramped: cramped
        ? {
            app: await startPatient(cleanup, agent("cramped"), { cgroupProcs: cramped }),
            cgroup: cramped,
          }
        : null,
      startSwapping: swapping
        ? () => startPatient(cleanup, agent("swapping"), { cgroupProcs: swapping })
        : null,
      postgres: postgresUrl ? await bank(cleanup, postgresUrl) : null,
      far: await farServer(cleanup),
      slowUrl: await slowServer(cleanup),
    });
    theatre.#swapping = (await theatre.#startSwapping?.()) ?? null;
    return theatre;
  }

  /** `tasks` is what the machine does beside. */
  stages(tasks: number): Stage[] {
    const isBusy = tasks > BUSY_TASKS_PER_CPU * cpus().length;
    const ofCpu = isBusy ? `this machine is busy: ${Math.round(tasks)} tasks on ${cpus().length} CPUs` : "";
    return [
      this.#stage("nothing at all", null, "/nap?ms=1500"),
      this.#stage("a CPU hog", "cpu_contention", "/work?units=1200", (send) => withCpuHogs(send), ofCpu),
      this.#stage("a slow database", "database", "/report?seconds=1.5", undefined, this.#withoutPostgres),
      this.#stage("an I/O hog", "disk", "/write?times=150", (send) =>
        withDiskHogs(this.#cleanup, this.#folder, send),
      ),
      this.#stage("a lock", "database", "/pay", (send) => this.#withLock(send), this.#withoutPostgres),
      {
        name: "CPU throttling",
        action: "GET /work",
        cause: "cpu_throttling",
        skip: this.#throttled === null ? "no cgroup with a CPU quota" : ofCpu,
        run: async () => {
          this.#throttled?.cgroup.limit(0.2);
          await request(`${this.#throttled?.app.url}/work?units=500`);
        },
      },
      this.#stage("a slow service", "external", `/ask?times=1&url=${encodeURIComponent(this.#slowUrl)}`),
      this.#stage(
        "a storm of garbage collection",
        "garbage_collection",
        "/litter?rounds=14",
        undefined,
        ofCpu,
      ),
      this.#stage(
        "packet loss",
        "network",
        `/ask?times=40&url=${encodeURIComponent(this.#far?.url ?? "")}`,
        (send) => this.#withLoss(send),
        this.#far === null ? "no network namespace" : "",
      ),
      this.#stage(
        "a blocked event loop",
        "event_loop",
        "/nap?ms=300",
        (send) => Promise.all([send(), sleep(100).then(() => request(`${this.#app.url}/block?units=1500`))]),
        ofCpu,
      ),
      {
        name: "memory pressure",
        action: "GET /reread",
        cause: "memory_pressure",
        skip: this.#cramped === null ? "no cgroup with a memory limit" : ofCpu,
        run: () => this.#reread(),
      },
      {
        name: "swapping",
        action: "GET /touch",
        cause: "swap",
        skip: this.#startSwapping === null ? "no cgroup with a memory limit" : ofCpu,
        run: () => this.#swap(),
      },
    ];
  }

  get #withoutPostgres(): string {
    return this.#postgres === null ? "PostgreSQL is not installed" : "";
  }

  #stage(
    name: string,
    cause: CauseKind | null,
    path: string,
    during: (send: () => Promise<unknown>) => Promise<unknown> = (send) => send(),
    skip = "",
  ): Stage {
    const [route = ""] = path.split("?");
    return {
      name,
      action: `GET ${route}`,
      cause,
      skip,
      run: () => during(() => request(`${this.#app.url}${path}`)),
    };
  }

  async #withLock(send: () => Promise<unknown>): Promise<void> {
    await this.#postgres?.query("BEGIN");
    await this.#postgres?.query("UPDATE accounts SET balance = balance WHERE id = 1");
    const sent = send();
    await sleep(HELD_MS);
    await this.#postgres?.query("COMMIT");
    await sent;
  }

  async #withLoss(send: () => Promise<unknown>): Promise<void> {
    // The connections are there before.
    await request(`${this.#app.url}/ask?times=8&url=${encodeURIComponent(this.#far?.url ?? "")}`);
    this.#far?.host.loseSome(40);
    await send();
    this.#far?.host.heal();
  }

  /** The file fits into memory, until another process of the cgroup wants that. */
  async #reread(): Promise<void> {
    if (this.#cramped === null) return;
    const { app, cgroup } = this.#cramped;
    const path = join(this.#folder, "large");
    writeFileSync(path, Buffer.alloc(FILE_MIB * MIB, 1));
    // Out of the page cache, where it would belong to this process.
    run("dd", "if=/dev/null", `of=${path}`, "oflag=nocache", "conv=notrunc,fdatasync", "count=0");
    const url = `${app.url}/reread?path=${encodeURIComponent(path)}`;
    await request(`${url}&times=60000`);
    await withMemoryHog(cgroup, HOG_MIB, () => request(`${url}&times=1000000`));
  }

  /** The app ends with it: what is swapped out must not come back when there is no room for it. When it is played again, another begins. */
  async #swap(): Promise<void> {
    if (this.#startSwapping === null) return;
    const { url, program } = this.#swapping ?? (await this.#startSwapping());
    this.#swapping = null;
    const file = join(this.#folder, "swap");
    run("fallocate", "-l", String(SWAP_FILE_MIB * MIB), file);
    chmodSync(file, 0o600);
    run("mkswap", file);
    run("swapon", file);
    const asked = async (): Promise<void> => {
      await request(`${url}/touch?megabytes=${TOUCHED_MIB}&times=0`);
      await request(`${url}/touch?megabytes=${TOUCHED_MIB}&times=100`);
    };
    const failure = await asked().catch((error: unknown) => error as Error);
    const { signal } = await program.stop();
    run("swapoff", file);
    rmSync(file);
    if (signal === "SIGKILL") throw new CannotStage("the kernel ended the app instead of swapping");
    if (failure) throw failure;
  }
}

export async function request(url: string): Promise<void> {
  const answer = await fetch(url);
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`GET ${url}: ${answer.status} ${text}`);
}

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    env: { PATH: "/usr/sbin:/sbin:/usr/bin:/bin" },
  });
  if (status !== 0) throw new CannotStage(`${command} ${args.join(" ")}: ${stderr}`);
}

async function bank(cleanup: Cleanup, url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  cleanup.add(() => client.end());
  await client.query("CREATE TABLE accounts (id integer PRIMARY KEY, balance integer)");
  await client.query("INSERT INTO accounts VALUES (1, 100)");
  return client;
}

async function farServer(cleanup: Cleanup): Promise<{ url: string; host: HostAtAWire } | null> {
  if (process.getuid?.() !== 0 || missingParts(["iproute2", "nftables"]).length > 0) return null;
  const host = HostAtAWire.make(cleanup);
  const port = await freePort();
  const [command, ...args] = [...host.enter, process.execPath, "-e", SERVER, String(port)];
  const server = new Program({ name: "far server", command, args });
  cleanup.add(() => server.kill());
  await server.waitForOutput(/ready/);
  return { url: `http://${host.innerAddress}:${port}/`, host };
}

async function slowServer(cleanup: Cleanup): Promise<string> {
  const server: Server = createServer((_, res) => {
    setTimeout(() => res.end("at last\n"), HELD_MS);
  });
  const port = await freePort();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  cleanup.add(() => void server.close());
  return `http://127.0.0.1:${port}/`;
}

export function makeFolder(cleanup: Cleanup): string {
  const folder = join(cleanup.tempDir(), "stage");
  mkdirSync(folder);
  return folder;
}
