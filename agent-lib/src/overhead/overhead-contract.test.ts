import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SpanStatusCode, trace } from "@opentelemetry/api";
import { LinkedTracer } from "../test-support/linked-tracer.ts";
import { OverheadContract } from "./overhead-contract.ts";

/** A process whose second costs what the test says. */
class Host {
  cpuUs = 0;
  nowMs = 0;
  readonly steps: string[] = [];
  readonly contract: OverheadContract;

  constructor(budgetRatio: number) {
    this.contract = new OverheadContract({
      cpuUsage: () => ({ user: this.cpuUs, system: 0 }),
      monoMs: () => this.nowMs,
      onStep: (level, ratio) => this.steps.push(`${level} at ${ratio.toFixed(2)}`),
    });
    this.contract.budgetRatio = budgetRatio;
  }

  /** Seconds in each of which the process takes `cpuMs`, and makes spans below requests. */
  run(seconds: number, cpuMs: number, children: number, encodeMs = 0.001): void {
    for (let second = 0; second < seconds; second++) {
      for (let child = 0; child < children; child++)
        if (this.contract.note(false)) this.contract.noteEncoding(encodeMs);
      this.cpuUs += cpuMs * 1_000;
      this.nowMs += 1_000;
      this.contract.second();
    }
  }
}

describe("the overhead contract", () => {
  test("a cheap agent records everything for ever", () => {
    const host = new Host(0.03);
    // 5,000 spans of 4 us are 20 ms of 900.
    host.run(600, 900, 5_000);
    assert.equal(host.contract.level, "everything");
    assert.deepEqual(host.steps, []);
  });

  test("above the budget it steps down twice, not within the first seconds, and back up when the app is quiet", () => {
    const host = new Host(0.03);
    host.run(4, 900, 20_000);
    assert.equal(host.contract.level, "everything");
    host.run(1, 900, 20_000);
    assert.equal(host.contract.level, "errors_and_slow");
    assert.equal(host.contract.keeps(true, false), true);
    assert.equal(host.contract.keeps(false, true), true);
    assert.equal(host.contract.keeps(false, false), false);
    host.run(5, 900, 20_000);
    assert.equal(host.contract.level, "requests");
    assert.equal(host.contract.makesCalls, false);
    assert.equal(host.contract.keeps(true, false), true);
    assert.equal(host.contract.keeps(false, true), false);
    host.run(29, 900, 1_000);
    assert.equal(host.contract.level, "requests");
    host.run(31, 900, 1_000);
    assert.equal(host.contract.level, "everything");
    assert.match(
      host.steps.join(", "),
      /^errors_and_slow at 0\.09, requests at 0\.09, errors_and_slow at .*, everything at /,
    );
  });

  test("a moment above the budget changes nothing, nor does a share of almost nothing", () => {
    const host = new Host(0.03);
    for (let round = 0; round < 20; round++) {
      host.run(4, 900, 20_000);
      host.run(1, 900, 100);
    }
    assert.deepEqual(host.steps, []);
    // 40 % of what the process takes, and yet 8 ms in a second.
    host.run(60, 20, 2_000);
    assert.deepEqual(host.steps, []);
  });

  test("samples during which another process ran are not believed", () => {
    const host = new Host(0.03);
    for (let second = 0; second < 60; second++) {
      host.run(1, 900, 5_000);
      host.contract.noteEncoding(20);
      host.contract.noteSending(200);
    }
    assert.deepEqual(host.steps, []);
  });

  test("without a limit it never steps down, and a limit that is lifted ends it at once", () => {
    const host = new Host(0);
    host.run(60, 900, 100_000);
    assert.equal(host.contract.level, "everything");
    host.contract.budgetRatio = 0.03;
    host.run(10, 900, 100_000);
    assert.equal(host.contract.level, "requests");
    host.contract.budgetRatio = 0;
    host.run(2, 900, 100_000);
    assert.equal(host.contract.level, "everything");
  });

  test("what a slower machine needs for encoding counts, and so does sending", () => {
    const host = new Host(0.03);
    host.run(60, 900, 5_000, 0.01);
    assert.equal(host.contract.level, "requests");
    const sending = new Host(0.03);
    for (let second = 0; second < 6; second++) {
      for (let sent = 0; sent < 50; sent++) sending.contract.noteSending(1);
      sending.run(1, 900, 10);
    }
    assert.equal(sending.contract.level, "errors_and_slow");
  });
});

test("what is left out is counted as created and as dropped; requests, errors and slow spans are kept", () => {
  const linked = new LinkedTracer("/nowhere/agent.sock");
  const { buffer, tracer, storage } = linked;
  stepTo(linked, "errors_and_slow");
  assert.equal(linked.contract.level, "errors_and_slow");
  const request = tracer.startSpan("request");
  storage.run(trace.setSpan(tracer.activeContext(), request), () => {
    tracer.startSpan("quick").end();
    const failed = tracer.startSpan("failed");
    failed.setStatus({ code: SpanStatusCode.ERROR });
    failed.end();
    tracer.startSpan("slow", { startTime: performance.now() - 600 }).end();
  });
  request.end();
  assert.equal(buffer.created, 4);
  assert.equal(buffer.dropped, 1);
  assert.equal(tracer.skipsCall(), false);
  stepTo(linked, "requests");
  assert.equal(tracer.skipsCall(), true);
  assert.equal(buffer.created, 5);
  assert.equal(buffer.dropped, 2);
});

/** Runs seconds in which the agent is far above its budget. */
function stepTo({ contract, clock }: LinkedTracer, level: string): void {
  contract.budgetRatio = 0.001;
  for (let second = 0; second < 20 && contract.level !== level; second++) {
    for (let sent = 0; sent < 100; sent++) contract.noteSending(1);
    clock.cpuUs += 500_000;
    clock.nowMs += 1_000;
    contract.second();
  }
}
