import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { HostSampler } from "./host-sampler.ts";
import { hostFiles, ProcFixture } from "./proc-fixture.ts";
import { SamplerGuard } from "./sampler-guard.ts";

class Host {
  readonly proc: ProcFixture;
  readonly sampler: HostSampler;
  #second = 0;

  constructor(t: TestContext, without: readonly string[] = []) {
    this.proc = new ProcFixture(t, hostFiles(10));
    for (const path of without) this.proc.remove(path);
    this.sampler = new HostSampler({ procRoot: this.proc.root });
    t.after(() => this.sampler.stop());
  }

  /** A second in which all files that are there move on, but those that were put out of order. */
  tick(outOfOrder: readonly string[] = []): Record<string, number | null> {
    this.#second++;
    for (const [path, text] of Object.entries(hostFiles(10 + 10 * this.#second)))
      if (!outOfOrder.includes(path)) this.proc.write(path, text);
    this.sampler.tick(this.#second, this.#second * 1_000);
    return this.sampler.newest();
  }

  problems(): [sampler: string, problem: string][] {
    return this.sampler.failing.map(({ sampler, problem }) => [sampler, problem]);
  }
}

test("a host in order has no failing sampler, nor one whose kernel lacks what others have", (t) => {
  for (const without of [[], ["pressure", "vmstat", "net"]]) {
    const host = new Host(t, without);
    host.tick(without.flatMap((path) => Object.keys(hostFiles(0)).filter((file) => file.startsWith(path))));
    host.tick(without.flatMap((path) => Object.keys(hostFiles(0)).filter((file) => file.startsWith(path))));
    assert.deepEqual(host.problems(), []);
    assert.equal(host.sampler.newest()["diskReadsPerSecond"], 10);
  }
});

test("a file that the system refuses fails its sampler alone, and says what to do", (t) => {
  const host = new Host(t, ["diskstats"]);
  // Reading a folder fails for root as well.
  host.proc.write("diskstats/in/the/way", "");
  host.tick(["diskstats"]);
  const values = host.tick(["diskstats"]);
  assert.equal(values["diskReadsPerSecond"], null);
  assert.equal(values["contextSwitchesPerSecond"], 10);
  const [[sampler, problem] = ["", ""], ...others] = host.problems();
  assert.deepEqual(others, []);
  assert.equal(sampler, "disks");
  assert.match(
    problem,
    /diskstats cannot be read \(EISDIR\), .* missing .* tried once a minute: let the daemon/,
  );
});

for (const path of [
  "stat",
  "meminfo",
  "diskstats",
  "net/dev",
  "loadavg",
  "net/snmp",
  "pressure/io",
  "vmstat",
]) {
  test(`garbage in ${path} is told, not taken for numbers, and nothing once it is in order again`, (t) => {
    const host = new Host(t);
    host.tick();
    host.proc.write(path, "\u0000garbage that no kernel writes\n\n(]\n");
    host.tick([path]);
    host.tick([path]);
    assert.equal(host.problems().length, 1);
    assert.match(host.problems()[0]?.[1] ?? "", new RegExp(`no number was found in .*${path}`));
    host.tick();
    host.tick();
    assert.deepEqual(host.problems(), []);
    assert.equal(host.sampler.newest()["contextSwitchesPerSecond"], 10);
  });
}

test("a file that vanishes is told and looked for once a minute", (t) => {
  const host = new Host(t, ["pressure"]);
  const absent = ["pressure/cpu", "pressure/memory", "pressure/io"];
  for (const path of absent) host.proc.write(path, hostFiles(1)[path] ?? "");
  host.tick();
  // An open file can be read on: let it be found gone when it is opened.
  rmSync(`${host.proc.root}/pressure`, { recursive: true });
  host.sampler.stop();
  host.tick(absent);
  assert.equal(host.sampler.newest()["psiIoSomeRatio"], null);
  assert.match(host.problems()[0]?.[1] ?? "", /pressure\/cpu was there and has gone/);
  for (let second = 0; second < 70; second++) host.tick();
  assert.deepEqual(host.problems(), []);
  assert.equal(host.sampler.newest()["psiIoSomeRatio"], 1e-5);
});

test("a part that throws has nulls and is run again", () => {
  const guard = new SamplerGuard();
  const into: Record<string, number | null> = { other: 7 };
  let isBroken = false;
  const part = {
    files: [],
    sample: () => {
      if (isBroken) throw new Error("out of order");
      return { a: 1 };
    },
  };
  guard.sample("part", part, 1, into);
  isBroken = true;
  guard.sample("part", part, 1, into);
  assert.deepEqual(into, { other: 7, a: null });
  assert.match(guard.failing[0]?.problem ?? "", /^it failed \(out of order\), .* report this/);
  isBroken = false;
  guard.sample("part", part, 1, into);
  assert.deepEqual([into["a"], guard.failing], [1, []]);
});
