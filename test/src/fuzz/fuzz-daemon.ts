import { MessageType } from "@apm-daemon/protocol";
import { type CorpusFile, isWellFormed, readCorpus } from "./corpus.ts";
import { GoodPeer } from "./good-peer.ts";
import { HostilePeer } from "./hostile-peer.ts";
import { cutMessages, mutateDataFrame, mutateFrames } from "./mutate-frames.ts";
import { SeededRandom } from "./random.ts";

export interface DaemonFuzzOptions {
  socket: string;
  seed: number;
  cases: number;
  seconds: number;
  peers: number;
  /** False when the daemon has ended: the fuzzer stops. */
  isAlive: () => boolean;
}

export interface DaemonFuzzResult {
  cases: number;
  closed: number;
  refusals: number;
  /** Requests of the good peer. */
  goodRequests: number;
  isGoodUnharmed: boolean;
  /** The newest cases, oldest first: should the daemon have died, it was of one of these. */
  lastCases: Buffer[];
}

const KEPT_CASES = 128;
const CASES_PER_GOOD_FRAME = 50;
/** Share of cases that break the stream itself; most of them cost the peer its connection. */
const BROKEN_STREAMS = 0.02;
/** Data frames are journaled and counted; SPANS are most of what a daemon reads. */
const DATA_TYPES: readonly number[] = [
  MessageType.spans,
  MessageType.runtime,
  MessageType.gap,
  MessageType.bye,
];

/** Sends a daemon mutated frames over many connections at once, each after a good HELLO, and a good app's beside them. */
export async function fuzzDaemon(options: DaemonFuzzOptions): Promise<DaemonFuzzResult> {
  const good = await GoodPeer.connect(options.socket, "good", options.seed);
  const peers = Array.from(
    { length: options.peers },
    (_, i) => new HostilePeer(options.socket, options.seed, i + 1),
  );
  const streams = readCorpus("frames").filter(isWellFormed);
  const lastCases: Buffer[] = [];
  const endMs = performance.now() + options.seconds * 1_000;
  let next = 0;
  const isOver = (): boolean => next >= options.cases || performance.now() > endMs || !options.isAlive();

  const serve = async (peer: HostilePeer): Promise<void> => {
    while (!isOver()) {
      const index = next++;
      const bytes = makeCase(streams, options.seed, index);
      lastCases.push(bytes);
      if (lastCases.length > KEPT_CASES) lastCases.shift();
      if (index % CASES_PER_GOOD_FRAME === 0) good.sendFrame();
      await peer.send(bytes, index + 1);
    }
    await peer.end();
  };
  try {
    await Promise.all(peers.map(serve));
    const isGoodUnharmed = await allAcknowledged(good);
    return {
      cases: next,
      closed: peers.reduce((sum, { closed }) => sum + closed, 0),
      refusals: peers.reduce((sum, { refusals }) => sum + refusals, 0),
      goodRequests: good.sentRequests,
      isGoodUnharmed,
      lastCases,
    };
  } finally {
    good.destroy();
  }
}

/** Most cases are frames with a new sequence number, so that they are journaled and counted; the others any bytes. */
function makeCase(streams: readonly CorpusFile[], seed: number, index: number): Buffer {
  const random = new SeededRandom(seed, index);
  const stream = random.pick(streams).bytes;
  const other = random.pick(streams).bytes;
  const frames = cutMessages(stream).filter(({ type }) => DATA_TYPES.includes(type));
  if (frames.length === 0 || random.chance(BROKEN_STREAMS)) return mutateFrames(stream, random, other);
  return mutateDataFrame(random.pick(frames), index + 1, random, other);
}

async function allAcknowledged(good: GoodPeer): Promise<boolean> {
  const giveUpMs = performance.now() + 30_000;
  while (!good.isAllAcknowledged && good.isConnected && performance.now() < giveUpMs)
    await new Promise((resolve) => setTimeout(resolve, 50));
  return good.isAllAcknowledged && good.refusals === 0;
}
