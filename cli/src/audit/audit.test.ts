import assert from "node:assert/strict";
import { test } from "node:test";
import type { LedgerReport, LedgerRow } from "@apm-daemon/protocol";
import { noPaint } from "../terminal/paint.ts";
import { type AuditSources, audit } from "./audit.ts";
import { auditText } from "./audit-text.ts";

/** 100 created: 60 stored in batches 1 and 2, 20 waiting in batch 3, 10 in the journal, 3 in flight, 7 lost. */
function sources(changes: Partial<AuditSources> = {}, report: Partial<LedgerReport> = {}): AuditSources {
  return {
    report: {
      host: "web-1",
      stream: "s",
      nextNumber: 4,
      journal: { position: 900, sealed: 500 },
      sealed: [{ app: "shop", created: 87, received: 80, dropped: { agent_ring_full: 7 } }],
      now: [{ app: "shop", created: 100, received: 90, dropped: { agent_ring_full: 7 } }],
      inFlight: { shop: 3 },
      overcounted: 0,
      unanchored: 0,
      collector: "ws://127.0.0.1:1",
      ...report,
    },
    journal: { spans: new Map([["shop", 10]]), dropped: new Map(), unreadableBytes: 0 },
    outbox: [{ number: 3, ledger: [row(20)], isPart: false }],
    stored: {
      committed: [{ first: 1, last: 2 }],
      opening: { number: 0, apps: [] },
      closing: { number: 2, apps: [{ app: "shop", created: 67, received: 60, dropped: {} }] },
      stored: [{ app: "shop", created: 67, received: 60, dropped: { agent_ring_full: 7 } }],
    },
    isUpToNow: true,
    ...changes,
  };
}

function row(received: number): LedgerRow {
  return { tsSec: 0, app: "shop", created: received, received, dropped: {} };
}

const LOST = { agent_ring_full: 7 };

test("each span is in one place", () => {
  const result = audit(sources());
  assert.deepEqual(result.apps, [
    { app: "shop", created: 100, stored: 60, outbox: 20, journal: 10, inFlight: 3, dropped: LOST, lost: 7 },
  ]);
  assert.deepEqual(result.differences, []);
  assert.deepEqual(result.batches, { after: 0, upTo: 3 });
  assert.equal(
    result.isComplete,
    false,
    "spans that are lost are missing, however well they are accounted for",
  );
  assert.match(
    auditText(result, noPaint),
    /^lost: 7 spans of shop, agent_ring_full\nincomplete: spans were lost/m,
  );
});

test("complete is said only when nothing is lost and nothing differs", () => {
  const result = audit(
    sources(
      {
        stored: {
          ...(sources().stored as NonNullable<AuditSources["stored"]>),
          opening: { number: 0, apps: [] },
        },
      },
      {
        sealed: [{ app: "shop", created: 80, received: 80, dropped: {} }],
        now: [{ app: "shop", created: 93, received: 90, dropped: {} }],
      },
    ),
  );
  assert.equal(result.isComplete, true);
  assert.equal(
    auditText(result, noPaint),
    `web-1  stream s, batches 1 to 3
app   created  stored  outbox  journal  in flight  lost
shop       93      60      20       10          3     0

complete: every span that was created is stored or on its way`,
  );
});

test("a batch that is nowhere is named, with the number of spans that were in it", () => {
  const { differences, isComplete } = audit(sources({ outbox: [] }));
  assert.deepEqual(differences, ["batch 3 is neither waiting nor stored: 20 spans of shop are missing"]);
  assert.equal(isComplete, false);
  const unreadable = audit(sources({ outbox: [{ number: 3, ledger: null, isPart: false }] }));
  assert.deepEqual(unreadable.differences, differences);
});

test("a batch that waits and is stored counts once", () => {
  const both = sources().stored as NonNullable<AuditSources["stored"]>;
  const stored = {
    ...both,
    committed: [{ first: 1, last: 3 }],
    stored: [{ app: "shop", created: 87, received: 80, dropped: LOST }],
  };
  const result = audit(sources({ stored }));
  assert.deepEqual([result.apps[0]?.stored, result.apps[0]?.outbox], [80, 0]);
  assert.deepEqual(result.differences, []);
});

test("a part that waits counts beside the parts that are stored", () => {
  const whole = sources().stored as NonNullable<AuditSources["stored"]>;
  const stored = {
    ...whole,
    committed: [{ first: 1, last: 3 }],
    stored: [{ app: "shop", created: 75, received: 75, dropped: LOST }],
  };
  const result = audit(sources({ stored, outbox: [{ number: 3, ledger: [row(5)], isPart: true }] }));
  assert.deepEqual([result.apps[0]?.stored, result.apps[0]?.outbox], [75, 5]);
  assert.deepEqual(result.differences, []);
});

test("a batch without spans that is nowhere is a difference, unless the daemon says that it gave it up", () => {
  const empty = { ...sources().journal, spans: new Map([["shop", 10]]) };
  const gap: [Partial<AuditSources>, Partial<LedgerReport>] = [{ journal: empty }, { nextNumber: 5 }];
  assert.deepEqual(audit(sources(...gap)).differences, [
    "batch 4 is neither waiting nor stored; no span was in there",
  ]);
  const givenUp = [{ first: 4, last: 4 }];
  assert.deepEqual(audit(sources(gap[0], { ...gap[1], givenUp })).differences, []);
});

test("rows that are stored twice, or that nobody sealed, are a difference", () => {
  const both = sources().stored as NonNullable<AuditSources["stored"]>;
  const stored = { ...both, stored: [{ app: "shop", created: 67, received: 65, dropped: LOST }] };
  assert.deepEqual(audit(sources({ stored })).differences, [
    "5 spans of shop are stored or waiting that the daemon never sealed",
  ]);
});

test("a journal that does not hold what the daemon counted is a difference", () => {
  const journal = { spans: new Map([["shop", 8]]), dropped: new Map(), unreadableBytes: 123 };
  assert.deepEqual(audit(sources({ journal })).differences, [
    "the journal holds 8 spans of shop that are not sealed, the daemon counted 10; 123 bytes there are damaged",
  ]);
});

test("spans of a sealed batch that was given up since are found where they were counted: in the journal", () => {
  // Batch 3 was dropped: its 20 spans are lost now, and the 10 in the journal are untouched.
  const result = audit(
    sources(
      { outbox: [{ number: 3, ledger: [], isPart: false }] },
      {
        sealed: [{ app: "shop", created: 87, received: 60, dropped: { ...LOST, outbox_full: 20 } }],
        now: [{ app: "shop", created: 100, received: 70, dropped: { ...LOST, outbox_full: 20 } }],
      },
    ),
  );
  assert.deepEqual(result.differences, []);
  assert.equal(result.apps[0]?.lost, 27);
});

test("spans of a batch that was given up after the last seal are lost, and neither missing nor in the journal", () => {
  const result = audit(
    sources(
      { outbox: [] },
      {
        now: [{ app: "shop", created: 100, received: 70, dropped: { ...LOST, outbox_full: 20 } }],
        givenUp: [{ first: 3, last: 3 }],
      },
    ),
  );
  assert.deepEqual(result.differences, []);
  assert.deepEqual([result.apps[0]?.journal, result.apps[0]?.lost], [10, 27]);
});

test("a ledger that does not add up, or counted too much, is never passed over", () => {
  assert.deepEqual(audit(sources({}, { inFlight: {} })).differences, [
    "the daemon's ledger of shop does not add up: 3 spans too few",
  ]);
  assert.deepEqual(audit(sources({}, { overcounted: 1 })).differences, [
    "1 span more were counted than agents say they sent",
  ]);
});

test("an audit of an earlier time looks at the store alone", () => {
  const result = audit(sources({ isUpToNow: false, outbox: [] }));
  assert.deepEqual(result.batches, { after: 0, upTo: 2 });
  assert.deepEqual(
    [result.apps[0]?.created, result.apps[0]?.stored, result.apps[0]?.journal, result.apps[0]?.inFlight],
    [67, 60, 0, 0],
  );
  assert.deepEqual(result.differences, []);
});

test("names from outside cannot play with the terminal", () => {
  const result = audit(sources());
  const [app] = result.apps;
  assert.ok(app);
  const text = auditText({ ...result, apps: [{ ...app, app: "\u001b[31mred\n" }] }, noPaint);
  assert.ok(text.includes("\\u{1b}[31mred\\u{a}"));
});
