// Nothing lost to what an admin does with the service, under the load of R2: 5,000 spans a second, counted by the app itself.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type BootedHost, skipWithoutBoot } from "../support/booted-host.ts";
import { Cleanup } from "../support/cleanup.ts";
import { CollectorApi } from "../support/collector-api.ts";
import { counterDifferences } from "../support/counter-differences.ts";
import { CountingApp, type Truth } from "../support/counting-app.ts";
import { DrainCheck } from "../support/drain-check.ts";
import { eventually } from "../support/eventually.ts";
import { type Audit, auditProblems } from "../support/run-audit.ts";
import { ServiceHost } from "../support/service-host.ts";
import { takeTurn } from "../support/take-turn.ts";

const VERSIONS = ["0.0.1", "0.0.2"] as const;
const COLLECTOR = "http://127.0.0.1:8460";
const SPANS_PER_SECOND = 5_000;
/** About two minutes of this load: on a busy machine an upgrade may take longer than the agent's own 4 MiB last. */
const RING_BYTES = 33_554_432;
const RESTARTS = 5;
const WITHIN_MS = 120_000;
const OUTBOX_CAP_BYTES = 1_048_576;
const CONFIG = `
seal_interval_ms = 1000
limits.actions_per_app = 100000
limits.operations_per_app = 100000
`;

/** The API of a collector that only its own host reaches. */
class InnerApi extends CollectorApi {
  readonly #service: ServiceHost;

  constructor(service: ServiceHost) {
    super(COLLECTOR, Date.now() - 60_000);
    this.#service = service;
  }

  protected override async body(url: URL): Promise<string> {
    return this.#service.fetch(url.href);
  }
}

describe("5,000 spans a second through what an admin does with the service", {
  skip: skipWithoutBoot(),
}, () => {
  const cleanup = new Cleanup();
  let service: ServiceHost;
  let host: BootedHost;
  let api: InnerApi;

  before(async () => {
    await takeTurn(cleanup);
    service = await ServiceHost.boot(cleanup, { versions: VERSIONS, withCollector: true });
    ({ host } = service);
    api = new InnerApi(service);
    service.install("apm-collector", VERSIONS[0]);
    service.install("apm-daemon", VERSIONS[0]);
    await eventually("the collector answers", 60_000, () => void service.fetch(`${COLLECTOR}/healthz`));
    host.write("/etc/apm-daemon/license.key", host.must("apm", "key", "create", "web"));
    await restartedWith(CONFIG);
  });
  after(() => cleanup.run());

  async function restartedWith(config: string): Promise<void> {
    host.write("/etc/apm-daemon/daemon.toml", config);
    host.must("systemctl", "restart", "apm-daemon");
    await service.isActive();
  }

  function startApp(name: string): Promise<CountingApp> {
    const agentSocket = "/run/apm-daemon/agent.sock";
    const load = { spansPerSecond: SPANS_PER_SECOND, ringBytes: RING_BYTES };
    return CountingApp.start(cleanup, { name, agentSocket, ...load, host });
  }

  /** Ends the app, and waits until the collector has acknowledged all of it. */
  async function drained(app: CountingApp): Promise<Truth> {
    const truth = await app.stopMaking();
    await app.handedOver(WITHIN_MS);
    await app.end();
    const check = new DrainCheck(host.path("/run/apm-daemon/status.sock"));
    await eventually("all that was journaled is acknowledged", WITHIN_MS, async () =>
      assert.equal(await check.missing(), null),
    );
    assert.equal(truth.spans, truth.requests * 4);
    assert.equal(truth.agent?.spansDropped, 0, "the agent kept all");
    return truth;
  }

  function audit(): Audit {
    return JSON.parse(host.run("apm", "audit", "--json").stdout) as Audit;
  }

  test("systemctl restart loses and doubles nothing, to the span", async (t) => {
    const app = await startApp("steady");
    for (let restart = 1; restart <= RESTARTS; restart++) {
      // Each at another point of a seal's second.
      await pause(2_000 + 370 * restart);
      const pid = service.property("MainPID");
      host.must("systemctl", "restart", "apm-daemon");
      await service.isActive();
      assert.notEqual(service.property("MainPID"), pid);
    }
    await pause(2_000);
    const truth = await drained(app);
    t.diagnostic(`${truth.spans} spans through ${RESTARTS} restarts`);
    assert.deepEqual(await counterDifferences(api, "steady", truth), { lost: 0, doubled: 0, details: [] });
    assert.deepEqual(auditProblems(audit(), "steady", truth.spans), []);
    assert.equal(service.property("NRestarts"), "0", "no daemon fell");
    assert.ok(truth.requests > RESTARTS * 500, `only ${truth.requests} requests were made`);
  });

  test("kill -9 and an upgrade with an outbox at its cap account for each span that the cap cost", async (t) => {
    host.must("systemctl", "stop", "apm-collector");
    await restartedWith(`${CONFIG}traces.keep = "all"\noutbox.cap_bytes = ${OUTBOX_CAP_BYTES}\n`);
    const app = await startApp("full");
    const isFull = (): Promise<void> =>
      eventually("the outbox is full: batches were given up", WITHIN_MS, () =>
        assert.match(service.status().problems.join(), /batches were deleted unsent/),
      );
    await isFull();
    // What was just given up is in no ledger on the disk yet.
    host.must("kill", "-9", service.property("MainPID"));
    await service.isActive();
    await isFull();
    service.install("apm-daemon", VERSIONS[1]);
    await service.isActive();
    const { outbox } = await eventually("the new version answers", WITHIN_MS, () => {
      const status = service.status();
      assert.equal(status.version, VERSIONS[1]);
      return status;
    });
    // The newest batch stays, however large it is.
    assert.ok(outbox.batches === 1 || outbox.bytes <= OUTBOX_CAP_BYTES, JSON.stringify(outbox));
    await isFull();
    host.must("systemctl", "start", "apm-collector");
    const truth = await drained(app);
    const { apps, differences } = audit();
    const entry = apps.find(({ app: name }) => name === "full");
    t.diagnostic(`${truth.spans} spans: ${JSON.stringify(entry)}`);
    assert.deepEqual(differences, []);
    assert.equal(entry?.created, truth.spans);
    assert.equal(entry.stored + entry.lost, truth.spans);
    assert.ok(entry.stored > 0 && entry.lost > 0, JSON.stringify(entry));
    const steady = apps.find(({ app: name }) => name === "steady");
    assert.equal(steady?.lost, 0, "the app before lost nothing to it");
    const { lost, doubled } = await counterDifferences(api, "full", truth);
    assert.equal(doubled, 0);
    assert.ok(lost > 0, "the cap cost requests and calls");
  });
});
