import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fuzzDecoders } from "../fuzz/fuzz-decoders.ts";
import { fuzzRealCollector, fuzzRealDaemon } from "../fuzz/fuzz-programs.ts";
import { Cleanup } from "../support/cleanup.ts";
import { takeTurn } from "../support/take-turn.ts";

/** Always the same cases: what fails here fails everywhere. `npm run fuzz` makes others. */
const SEED = 21;
const DECODER_CASES = 180_000;
const DAEMON_CASES = 20_000;
const COLLECTOR_CASES = 600;
/** Only for machines that are far too slow: the cases end first. */
const SECONDS = 500;
/** The promise is 10 MB, measured over a million cases; a short run has the growth of the first minutes in it. */
const MAX_GROWTH_BYTES = 67_108_864;

describe("mutated bytes", () => {
  const cleanup = new Cleanup();
  before(() => takeTurn(cleanup));
  after(() => cleanup.run());

  test("no reader throws anything but a protocol error, hangs, or takes memory without bound", async () => {
    const { cases, findings } = await fuzzDecoders(SEED, DECODER_CASES, SECONDS);
    assert.deepEqual(findings, [], `of ${cases} cases with seed ${SEED}`);
    assert.equal(cases, DECODER_CASES);
  });

  test("a daemon survives them, closes and counts who breaks the protocol, and a good app beside them loses nothing", async (t) => {
    const result = await fuzzRealDaemon(cleanup, {
      seed: SEED,
      cases: DAEMON_CASES,
      seconds: SECONDS,
      peers: 32,
    });
    const { closed, goodRequests, malformed, warmRssBytes, rssGrowthBytes } = result;
    t.diagnostic(
      JSON.stringify({ cases: result.cases, closed, goodRequests, malformed, warmRssBytes, rssGrowthBytes }),
    );
    assert.equal(result.failure, "");
    assert.ok(closed > 0 && malformed >= closed, "there were some that broke it");
    assert.ok(rssGrowthBytes <= MAX_GROWTH_BYTES, `${rssGrowthBytes} bytes more`);
  });

  test("a collector answers each batch once, and stores what passes its checks", async (t) => {
    const result = await fuzzRealCollector(cleanup, { seed: SEED, cases: COLLECTOR_CASES, seconds: SECONDS });
    const { cases, acks, nacks, good, rssGrowthBytes } = result;
    t.diagnostic(JSON.stringify({ cases, acks, nacks, good, rssGrowthBytes }));
    assert.deepEqual(
      result.findings.map(({ what }) => what),
      [],
    );
    assert.equal(cases, COLLECTOR_CASES);
    assert.ok(acks > 0 && (nacks["BATCH_MALFORMED"] ?? 0) > 0 && (nacks["BATCH_CORRUPT"] ?? 0) > 0);
  });
});
