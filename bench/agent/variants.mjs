import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { startDaemon } from "../support/daemon.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const moduleAt = (path) => pathToFileURL(path).href;
const OWN_AGENT = fileURLToPath(import.meta.resolve("@apm-daemon/agent/register"));

/** The ways in which an app may run: without any agent, with ours and with each peer, and where these deliver to. */
export class Variants {
  #daemon;
  #sink;
  #sinkPort;
  #options;

  static async start() {
    const variants = new Variants();
    variants.#daemon = await startDaemon();
    variants.#sink = spawn(process.execPath, [here("sink.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
    [variants.#sinkPort] = await once(createInterface(variants.#sink.stdout), "line");
    const peer = (name) => ({
      load: ["--import", moduleAt(here(`peer-${name}.mjs`))],
      env: { SPANS: "1", SINK_PORT: variants.#sinkPort },
    });
    variants.#options = {
      none: { load: [], env: { SPANS: "0" } },
      apm: {
        load: ["--import", moduleAt(OWN_AGENT)],
        env: {
          SPANS: "1",
          APM_SOCKET: variants.#daemon.socket,
          APM_APP_NAME: "bench",
          APM_OVERHEAD_BUDGET: "0",
        },
      },
      otel: peer("otel"),
      datadog: peer("datadog"),
      elastic: peer("elastic"),
    };
    return variants;
  }

  get names() {
    return Object.keys(this.#options);
  }

  /** Starts an app of this folder; `nextLine` resolves with the next JSON line it prints. */
  run(name, app, env = {}) {
    const { load, env: own } = this.#options[name];
    const child = spawn(process.execPath, [...load, here(app)], {
      env: { ...process.env, ...own, ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const nextLine = async () => {
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error(`${app} ended under ${name}`);
        if (value.startsWith("{")) return JSON.parse(value);
      }
    };
    return { child, nextLine };
  }

  /** Measures one variant; fails when it delivered nothing, since what records nothing looks cheap. */
  async measure(name, measure) {
    if (name === "none") return measure(name);
    const before = await this.#delivered(name);
    const result = await measure(name);
    if ((await this.#delivered(name)) === before)
      throw new Error(`${name} delivered nothing: its cost says nothing`);
    return result;
  }

  async #delivered(name) {
    if (name === "apm") return (await this.#daemon.status()).intake.spans;
    return Number(await (await fetch(`http://127.0.0.1:${this.#sinkPort}/bytes`)).text());
  }

  async stop() {
    this.#sink.kill();
    await this.#daemon.stop();
  }
}
