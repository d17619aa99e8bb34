import { FlightRecorder } from "../flight-recorder/flight-recorder.ts";
import { foundMessages, type TraceFinder } from "../flight-recorder/found-messages.ts";
import type { HostWatch } from "../host-watch.ts";
import { Sealer } from "../outbox/sealer.ts";
import { RecentWindows } from "../status/recent-requests.ts";
import { readLicenseKey } from "../uplink/license-key.ts";
import { RefusedBatches } from "../uplink/refused-batches.ts";
import { SendQueue } from "../uplink/send-queue.ts";
import { Uplink } from "../uplink/uplink.ts";
import { explainedFinder } from "../why-slow/explained-finder.ts";
import { WhySlow } from "../why-slow/why-slow.ts";
import type { DaemonContext } from "./context.ts";
import type { Counting } from "./counting.ts";
import type { Storage } from "./storage.ts";

/** From the counters to the collector. */
export interface Sending {
  sealer: Sealer;
  recent: RecentWindows;
  queue: SendQueue;
  /** Finds traces in the journal, with their verdicts. */
  recorder: TraceFinder;
  whySlow: WhySlow;
  uplink: Uplink;
}

/** Processes that went as long ago are still known by their pids. */
const RECENT_MS = 60_000;

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

export function createSending(
  { config, clock, log, apdexTMs, statementTexts, settings, live, stops }: DaemonContext,
  { journal, reserve, ledger, outbox, parts, deadLetters, cursor, cursorPath }: Storage,
  { instances, aggregator, traces, blackBox, hour }: Counting,
  watch: HostWatch,
  sealSoon: () => void,
): Sending {
  const queue = new SendQueue(outbox, parts);
  const refused = new RefusedBatches({
    queue,
    parts,
    deadLetters,
    onDeadLetter: ({ header }) => {
      if (header !== null) ledger.moveRefused(header);
      // Until a seal keeps it, the booking is in memory alone.
      sealSoon();
    },
    log,
  });
  const whySlow = new WhySlow({
    host: watch.host,
    processes: watch.processes,
    cores: () => watch.identity.cores,
    instances: () => instances.recent(clock.unixMs(), RECENT_MS),
    apdexTMs,
    monoMs: clock.monoMs,
    cpuMs,
    log,
  });
  const flightRecorder = new FlightRecorder({ journal, log });
  stops.push(() => flightRecorder.stop());
  const recorder = explainedFinder(flightRecorder, whySlow);
  const recent = new RecentWindows();
  const sealer = new Sealer({
    cursor,
    cursorPath,
    journal,
    journalCapBytes: config.journal.cap_bytes,
    aggregator,
    ledger,
    traces,
    instances,
    outbox,
    host: watch.identity,
    hostSampler: watch.host,
    processSampler: watch.processes,
    events: blackBox,
    whySlow,
    apdexTMs,
    statementTexts,
    clock,
    log,
    reserve,
    onFailed: sealSoon,
    onSealed: (header) => {
      recent.add(header.actions, clock.unixMs() / 1_000);
      hour.add(header);
      uplink.notify();
    },
  });
  const uplink = new Uplink({
    url: config.collector,
    readKey: () => readLicenseKey(config.license_key_file),
    host: watch.identity,
    queue,
    refused,
    live,
    find: (want) => foundMessages(recorder, want, statementTexts()),
    settings,
    statementText: (fingerprint) => hour.statementText(fingerprint),
    position: () => ({ stream: sealer.cursor.stream, nextNumber: sealer.cursor.nextNumber }),
    log,
    clock,
    random: Math.random,
  });
  outbox.isOnItsWay = (number) => uplink.isOnItsWay(String(number));
  return { sealer, recent, queue, recorder, whySlow, uplink };
}
