import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launchBrowser, openPage, takeScreenshot } from "./support/browser.ts";
import { Cleanup } from "./support/cleanup.ts";
import { eventually } from "./support/eventually.ts";
import { skipWithout } from "./support/parts.ts";
import { Program } from "./support/program.ts";
import { type Collector, runApm, StateDir, startUp } from "./support/system.ts";
import { takeTurn } from "./support/take-turn.ts";

const STOP_DEADLINE_MS = 5_000;
/** Everything is there within a minute on a machine of its own; this is for one that does much else. */
const LIFE_DEADLINE_MS = 240_000;
const DEMO_FILE = fileURLToPath(new URL("../../demo/dist/main.js", import.meta.url));

interface SlowStatements {
  slowStatements: { statementText: string; durationMs: number }[];
}
interface Errors {
  errors: { type: string; message: string }[];
}
interface CounterList {
  counters: { name: string; total: number }[];
}

describe("apm up --demo", () => {
  const cleanup = new Cleanup();
  let stateDir: StateDir;
  let up: Collector;

  before(async () => {
    await takeTurn(cleanup);
    stateDir = new StateDir(cleanup);
    up = await startUp(cleanup, stateDir, undefined, ["--demo"]);
  });
  after(() => cleanup.run());

  const appsOf = async (traceId: string): Promise<string[]> =>
    [...new Set((await up.api.trace(traceId)).spans.map(({ app }) => app))].sort();
  const eventuallyThere = (what: string, check: () => Promise<void>): Promise<void> =>
    eventually(what, LIFE_DEADLINE_MS, check);

  test("says that it shows demo data, and how that ends", async () => {
    await up.program.waitForOutput(/demo data .*demo-shop and demo-payments.*Ctrl-C ends them/);
    await up.program.waitForOutput(/demo-shop serves at http:/, 90_000);
  });

  test("has requests of many actions, fast and slow, and work in the background", async () => {
    await eventuallyThere("both apps with their actions", async () => {
      const kinds = await up.api.get<{ actions: { action: string; kind: string; apdex: number }[] }>(
        "apps/demo-shop/actions",
        { kind: "all" },
      );
      const names = kinds.actions.map(({ action }) => action);
      for (const name of ["GET /", "GET /products/:id", "GET /search", "GET /carts/:id", "POST /orders"])
        assert.ok(names.includes(name), `${name} is not among ${names.join(", ")}`);
      const background = kinds.actions.filter(({ kind }) => kind === "background");
      assert.deepEqual(background.map(({ action }) => action).sort(), ["expire carts", "mails process"]);
      assert.ok(
        kinds.actions.some(({ apdex }) => apdex < 0.7) && kinds.actions.some(({ apdex }) => apdex > 0.94),
      );
      assert.ok((await up.api.requestCount("demo-payments")) > 10);
    });
  });

  test("has failures of several types, and visits of what is not there", async () => {
    await eventuallyThere("errors and status codes", async () => {
      const { errors } = await up.api.get<Errors>("apps/demo-shop/errors");
      const types = new Set(errors.map(({ type }) => type));
      assert.ok(types.size >= 2, `only ${[...types].join(", ")}`);
      for (const { message } of errors) assert.notEqual(message, "");
      const codes = (await up.api.statusCodes("demo-shop")).map(({ code }) => code);
      for (const code of [200, 201, 404, 500])
        assert.ok(codes.includes(code), `${code} of ${codes.join(" ")}`);
    });
  });

  test("has calls of database, cache and services; slow statements come without their values", async () => {
    await eventuallyThere("operations and slow statements", async () => {
      for (const category of ["database", "cache", "external"])
        assert.ok((await up.api.operations("demo-shop", category)).length > 0, `no ${category}`);
      for (const category of ["database", "external"])
        assert.ok(
          (await up.api.operations("demo-payments", category)).length > 0,
          `no ${category} of payments`,
        );
      const { slowStatements } = await up.api.get<SlowStatements>("apps/demo-shop/slow-statements");
      const search = slowStatements.find(({ statementText }) => statementText.includes("ILIKE"));
      assert.match(search?.statementText ?? "", /name ILIKE \? AND price_cents < \? ORDER/);
    });
  });

  test("has repeated statements, traces across both apps, verdicts and a counter of its own", async () => {
    await eventuallyThere("traces and counters", async () => {
      const carts = await up.api.traces("demo-shop", { repeats: "true" });
      assert.equal(carts[0]?.action, "GET /carts/:id");
      const orders = await up.api.traces("demo-shop", { action: "POST /orders", limit: "5" });
      const appsOfOrders = await Promise.all(orders.map(({ traceId }) => appsOf(traceId)));
      assert.ok(
        appsOfOrders.some((apps) => apps.join(" ") === "demo-payments demo-shop"),
        JSON.stringify(appsOfOrders),
      );
      const all = await up.api.traces("demo-shop");
      assert.ok(
        all.some((trace) => "verdict" in trace),
        "no trace has a verdict",
      );
      const { counters } = await up.api.get<CounterList>("apps/demo-shop/counters");
      assert.deepEqual(counters.map(({ name }) => name).sort(), ["mails sent", "orders placed"]);
    });
  });

  test("is marked as demo data in the console", { skip: skipWithout("chromium") }, async () => {
    const browser = await launchBrowser(cleanup);
    const { page, complaints } = await openPage(browser, { viewport: { width: 1_440, height: 900 } });
    await page.goto(`${up.url}/`);
    const rows = page.locator("tr", { has: page.locator("a", { hasText: /^demo-(shop|payments)$/ }) });
    await rows.nth(1).getByText("Demo data").waitFor();
    assert.equal(await rows.getByText("Demo data").count(), 2);
    await takeScreenshot(page, "demo-home");
    await page.goto(`${up.url}/apps/demo-shop`);
    await page.locator("header").getByText("Demo data").waitFor();
    await takeScreenshot(page, "demo-app");
    assert.deepEqual(complaints, []);
  });

  test("cannot join what runs already, and says what can", async () => {
    const second = await runApm(["up", "--demo", "--state-dir", stateDir.path, "--listen", "127.0.0.1:0"]);
    assert.notEqual(second.code, 0);
    assert.match(second.stderr, /Under a daemon that runs already the demo starts with: node \S+main\.js/);
  });

  test("runs under a daemon that was there before, and ends with Ctrl-C", async () => {
    const demo = new Program({
      name: "demo",
      command: process.execPath,
      args: [DEMO_FILE],
      env: { APM_SOCKET: stateDir.agentSocket },
    });
    cleanup.add(() => demo.kill());
    await demo.waitForOutput(/demo-shop serves at .*Ctrl-C ends it/, 90_000);
    const shops = processes().filter(({ ancestors }) => ancestors.includes(demo.pid));
    assert.equal(shops.length, 2);
    assert.deepEqual(await demo.stop("SIGINT", STOP_DEADLINE_MS), { code: 0, signal: null });
    assert.deepEqual(shops.filter(isAlive), []);
  });

  test("is started again when a part of it dies", async () => {
    const [shop] = processes().filter(isShopOf(up.program.pid));
    assert.ok(shop);
    process.kill(shop.pid, "SIGKILL");
    await up.program.waitForOutput(/the demo ended with exit code 1; starting it again/);
    await eventually("another shop runs", 90_000, () => {
      assert.ok(processes().some(isShopOf(up.program.pid)));
    });
    assert.match(up.program.output, /the demo ended: demo-shop was killed by SIGKILL/);
  });

  test("ends within 5 s of Ctrl-C and leaves no process", async () => {
    const before = processes().filter(({ ancestors }) => ancestors.includes(up.program.pid));
    // Collector, daemon, the demo and its two apps.
    assert.ok(before.length >= 5, before.map(({ command }) => command).join("\n"));
    const end = await up.program.stop("SIGINT", STOP_DEADLINE_MS);
    assert.deepEqual(end, { code: 0, signal: null });
    assert.deepEqual(before.filter(isAlive), []);
  });

  test("leaves no process when it is itself killed", async () => {
    const killed = await startUp(cleanup, new StateDir(cleanup), undefined, ["--demo"]);
    await killed.program.waitForOutput(/demo-shop serves at/, 90_000);
    const left = processes().filter(({ ancestors }) => ancestors.includes(killed.program.pid));
    assert.ok(left.length >= 5);
    await killed.program.kill();
    await eventually("all of them end", 20_000, () => assert.deepEqual(left.filter(isAlive), []));
  });
});

interface RunningProcess {
  pid: number;
  command: string;
  ancestors: number[];
}

function isShopOf(pid: number): (process: RunningProcess) => boolean {
  return ({ command, ancestors }) => command.includes("shop/app.js") && ancestors.includes(pid);
}

/** All of this machine, with the processes above each. */
function processes(): RunningProcess[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? readProc(pid, "stat") : "";
    // The name before it may hold anything.
    const parent = /\) \S (\d+)/.exec(stat.slice(stat.lastIndexOf(")")))?.[1];
    if (parent !== undefined) parents.set(pid, Number(parent));
  }
  return [...parents.keys()].map((pid) => {
    const ancestors: number[] = [];
    for (let up = parents.get(pid); up !== undefined && up > 0; up = parents.get(up)) ancestors.push(up);
    return { pid, command: readProc(pid, "cmdline").replaceAll("\0", " "), ancestors };
  });
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(join("/proc", String(pid), file), "utf8");
  } catch {
    return "";
  }
}

/** A zombie has no command line. */
function isAlive({ pid }: RunningProcess): boolean {
  return existsSync(`/proc/${pid}`) && readProc(pid, "cmdline") !== "";
}
