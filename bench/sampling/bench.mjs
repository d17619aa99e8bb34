// What it costs to watch a host once a second: the whole daemon (sampling, sealing, status), prometheus-node-exporter scraped
// at 1 Hz, collectd at 1 Hz, and systeminformation doing the same. One after the other in each round; CPU of the process
// and of the programs it started.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startDaemon } from "../support/daemon.mjs";
import { median, print, readOptions, round, sleep } from "../support/options.mjs";
import { cpuSeconds, rssBytes } from "../support/process-cost.mjs";

const WARM_UP_MS = 4_000;
const { rounds, seconds } = readOptions(5, 20);
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

const installed = (path) => existsSync(path);
const VARIANTS = {
  "apm-daemon": { start: startDaemon },
  "prometheus-node-exporter": { start: startNodeExporter, needs: "/usr/bin/prometheus-node-exporter" },
  collectd: { start: startCollectd, needs: "/usr/sbin/collectd" },
  systeminformation: { start: () => startProcess(process.execPath, [here("systeminformation-loop.mjs")]) },
};

const results = {};
for (const [name, { needs }] of Object.entries(VARIANTS)) {
  if (needs === undefined || installed(needs)) results[name] = [];
  else
    print("sampling", {
      variant: name,
      skipped: `${needs} is not installed (apt-get install ${name === "collectd" ? "collectd-core" : name})`,
    });
}
for (let i = 0; i < rounds; i++) {
  for (const name of Object.keys(results)) {
    const watched = await VARIANTS[name].start();
    await sleep(WARM_UP_MS);
    const cpuBefore = cpuSeconds(watched.pid);
    const startedAt = performance.now();
    await sleep(seconds * 1_000);
    const cpuRatio = (cpuSeconds(watched.pid) - cpuBefore) / ((performance.now() - startedAt) / 1_000);
    results[name].push({ cpuRatio, rssBytes: rssBytes(watched.pid) });
    await watched.stop();
  }
}
for (const [name, measured] of Object.entries(results)) {
  print("sampling", {
    variant: name,
    cpuPercent: round(median(measured.map(({ cpuRatio }) => cpuRatio)) * 100),
    rssMiB: round(median(measured.map(({ rssBytes: bytes }) => bytes)) / 1_048_576, 1),
    seconds,
    rounds,
  });
}
