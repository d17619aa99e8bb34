// What it costs to watch a host once a second, with some hundred, a thousand and five thousand processes that sleep: the whole
// daemon (sampling, sealing, status), prometheus-node-exporter scraped at 1 Hz, collectd and netdata at 1 Hz, and systeminformation
// doing the same. All in the same seconds, after a minute; CPU and memory of the process and of the programs it started.
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startDaemon } from "../support/daemon.mjs";
import { median, print, readOptions, round, sleep } from "../support/options.mjs";
import { treeCpuSeconds, treeRssBytes } from "../support/process-cost.mjs";

/** Code is compiled and heaps shrink in a process's first minute; these run for months. */
const WARM_UP_MS = 75_000;
const { rounds, seconds, values } = readOptions(3, 20, ["processes"]);
/** `--processes 100,1000` measures with so many alone. */
const PROCESSES = (values.processes ?? "100,1000,5000").split(",").map(Number);
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

function startProcess(command, args, cleanUp = () => undefined) {
  const child = spawn(command, args, { stdio: "ignore" });
  return {
    pid: child.pid,
    stop: async () => {
      child.kill("SIGTERM");
      while (child.exitCode === null && child.signalCode === null) await sleep(20);
      cleanUp();
    },
  };
}

function startNodeExporter() {
  const port = 20_000 + (process.pid % 20_000);
  const exporter = startProcess("prometheus-node-exporter", [`--web.listen-address=127.0.0.1:${port}`]);
  const scraper = setInterval(() => {
    void fetch(`http://127.0.0.1:${port}/metrics`)
      .then((response) => response.text())
      .catch(() => undefined);
  }, 1_000);
  return {
    pid: exporter.pid,
    stop: async () => {
      clearInterval(scraper);
      await exporter.stop();
    },
  };
}

function startCollectd() {
  const dir = mkdtempSync(join(tmpdir(), "apm-bench-collectd-"));
  const conf = join(dir, "collectd.conf");
  const more = `BaseDir "${dir}"\nPIDFile "${dir}/pid"\nTypesDB "/usr/share/collectd/types.db"\n<Plugin csv>\nDataDir "${dir}/csv"\n</Plugin>\n`;
  writeFileSync(conf, readFileSync(here("collectd.conf"), "utf8") + more);
  return startProcess("collectd", ["-f", "-C", conf], () => rmSync(dir, { recursive: true, force: true }));
}

function startNetdata() {
  const dir = mkdtempSync(join(tmpdir(), "apm-bench-netdata-"));
  const conf = join(dir, "netdata.conf");
  const port = 40_000 + (process.pid % 20_000);
  const global = `[global]\nrun as user = ${userInfo().username}\n[db]\nmode = ram\nupdate every = 1\n`;
  const places = ["cache", "lib", "log", "lock"].map((name) => `${name} = ${dir}/${name}\n`).join("");
  const rest = `[directories]\n${places}[web]\nbind to = 127.0.0.1:${port}\n[cloud]\nenabled = no\n[registry]\nenabled = no\n`;
  for (const name of ["cache", "lib", "log", "lock"]) mkdirSync(join(dir, name));
  writeFileSync(conf, global + rest);
  return startProcess("netdata", ["-D", "-c", conf, "-P", join(dir, "pid")], () =>
    rmSync(dir, { recursive: true, force: true }),
  );
}

/** Processes that sleep until `stop`, so that the host has `count`; fewer where it has more or allows no more. */
async function fillUpTo(count) {
  const present = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).length;
  const sleepers = Math.max(0, count - present - 1);
  // One shell starts them all: a process of Node for each start would take minutes.
  const shell = spawn(
    "sh",
    ["-c", `i=0; while [ $i -lt ${sleepers} ]; do sleep 7200 & i=$((i+1)); done; echo up; wait`],
    {
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
    },
  );
  await once(shell.stdout, "data");
  // The group is the shell's own: nothing else is in it.
  return () => process.kill(-Number(shell.pid), "SIGKILL");
}

const installed = (path) => existsSync(path);
const VARIANTS = {
  "apm-daemon": { start: startDaemon },
  "prometheus-node-exporter": { start: startNodeExporter, needs: "/usr/bin/prometheus-node-exporter" },
  collectd: { start: startCollectd, needs: "/usr/sbin/collectd" },
  netdata: { start: startNetdata, needs: "/usr/sbin/netdata" },
  systeminformation: {
    start: () => startProcess(process.execPath, [here("systeminformation-loop.mjs")]),
    isHog: true,
  },
};

const variants = Object.entries(VARIANTS).filter(([name, { needs }]) => {
  if (needs === undefined || installed(needs)) return true;
  const packageName = name === "collectd" ? "collectd-core" : name;
  print("sampling", { variant: name, skipped: `${needs} is not installed (apt-get install ${packageName})` });
  return false;
});

let clear = () => undefined;
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => {
    clear();
    process.exit(1);
  });

for (const processes of PROCESSES) {
  clear = await fillUpTo(processes);
  try {
    await measureAll(processes);
  } finally {
    clear();
    clear = () => undefined;
  }
}

/** All variants watch the same seconds: what disturbs the machine disturbs them alike. The one that hogs a core comes after them. */
async function measureAll(processes) {
  for (const together of [
    variants.filter(([, { isHog }]) => !isHog),
    variants.filter(([, { isHog }]) => isHog),
  ]) {
    for (const [name, windows] of await measureTogether(together)) {
      print("sampling", {
        variant: name,
        processes,
        cpuPercent: round(median(windows.map(({ cpuRatio }) => cpuRatio)) * 100, 3),
        rssMB: round(median(windows.map(({ rssBytes: bytes }) => bytes)) / 1e6, 1),
        seconds,
        rounds,
      });
    }
  }
}

async function measureTogether(together) {
  const started = [];
  try {
    for (const [name, { start }] of together) started.push({ name, windows: [], ...(await start()) });
    await sleep(WARM_UP_MS);
    for (let i = 0; i < rounds; i++) {
      const from = performance.now();
      const before = started.map(({ pid }) => treeCpuSeconds(pid));
      await sleep(seconds * 1_000);
      const elapsed = (performance.now() - from) / 1_000;
      started.forEach(({ pid, windows }, at) => {
        windows.push({ cpuRatio: (treeCpuSeconds(pid) - before[at]) / elapsed, rssBytes: treeRssBytes(pid) });
      });
    }
  } finally {
    for (const { stop } of started) await stop();
  }
  return started.map(({ name, windows }) => [name, windows]);
}
