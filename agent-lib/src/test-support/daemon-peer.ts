import { mkdtempSync, rmSync, writeSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AgentSettings,
  type AttributeValue,
  type Bye,
  DEFAULT_AGENT_SETTINGS,
  decodeBye,
  decodeGap,
  decodeHello,
  decodeRuntime,
  decodeSpans,
  encodeAck,
  encodeWelcome,
  type Hello,
  MessageReader,
  MessageType,
  parseSpanExtra,
  type RuntimeFrame,
  type SpanExtra,
  sequenceOf,
} from "@apm-daemon/protocol";

export interface ReceivedSpan {
  scope: string;
  kind: number;
  name: string;
  traceId: string;
  spanId: string;
  /** "" for none. */
  parentId: string;
  isLocalRoot: boolean;
  hasRemoteParent: boolean;
  hasError: boolean;
  startUnixMs: number;
  durationMs: number;
  attributes: Record<string, AttributeValue>;
  extra: SpanExtra;
}

export interface PeerBehaviour {
  /** Default true: acknowledge each data frame at once. */
  acknowledges?: boolean;
  settings?: AgentSettings;
  /** Instead of the protocol: what a connection gets. */
  onConnection?: (socket: Socket) => void;
}

const DEADLINE_MS = 30_000;

/** A real Unix socket that speaks the daemon's side of the protocol and keeps what it is told. */
export class DaemonPeer {
  readonly folder: string = mkdtempSync(join(tmpdir(), "apm-agent-test-"));
  readonly path: string = join(this.folder, "agent.sock");
  readonly spans: ReceivedSpan[] = [];
  readonly hellos: Hello[] = [];
  readonly runtime: RuntimeFrame[] = [];
  readonly byes: Bye[] = [];
  readonly gaps: Record<string, number>[] = [];
  /** Sequence numbers in the order in which they came, doubles among them. */
  readonly sequences: number[] = [];
  /** Highest sequence number by instance: what a real daemon has in its journal. */
  readonly journaled: Map<string, number> = new Map();
  /** Bytes of everything received, to search for what must not be there. */
  readonly received: Buffer[] = [];
  /** What broke connections. */
  readonly errors: Error[] = [];
  behaviour: PeerBehaviour;
  #server: Server | null = null;
  readonly #sockets = new Set<Socket>();

  constructor(behaviour: PeerBehaviour = {}) {
    this.behaviour = behaviour;
  }

  async listen(): Promise<this> {
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.path, resolve);
    });
    return this;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Closes as a daemon does that is killed: connections first. */
  async hangUp(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const server = this.#server;
    this.#server = null;
    if (server !== null) await new Promise((resolve) => server.close(resolve));
  }

  async close(): Promise<void> {
    await this.hangUp();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Acknowledges on all connections. */
  acknowledge(sequence: number): void {
    for (const socket of this.#sockets) socket.write(encodeAck(sequence));
  }

  send(message: Uint8Array): void {
    for (const socket of this.#sockets) socket.write(message);
  }

  pause(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    for (const socket of this.#sockets) socket.resume();
  }

  /** Spans of one name. */
  named(name: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  get dropped(): number {
    return this.gaps.reduce((sum, gap) => sum + Object.values(gap).reduce((a, b) => a + b, 0), 0);
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", (error) => {
      this.errors.push(error);
      socket.destroy();
    });
    if (this.behaviour.onConnection !== undefined) {
      this.behaviour.onConnection(socket);
      return;
    }
    let instance = "";
    const reader = new MessageReader((type, payload) => {
      if (type === MessageType.hello) {
        const hello = decodeHello(payload);
        instance = hello.instance;
        this.hellos.push(hello);
        const lastSequence = this.journaled.get(instance) ?? 0;
        const settings = this.behaviour.settings ?? DEFAULT_AGENT_SETTINGS;
        writePast(socket, encodeWelcome({ version: 1, lastSequence, settings }));
      } else this.#take(type, payload, instance, socket);
    });
    socket.on("data", (chunk: Buffer) => {
      this.received.push(Buffer.from(chunk));
      reader.push(chunk);
    });
  }

  #take(type: number, payload: Buffer, instance: string, socket: Socket): void {
    if (type === MessageType.bye) {
      this.byes.push(decodeBye(payload));
      return;
    }
    const sequence = sequenceOf(payload);
    this.sequences.push(sequence);
    if (sequence > (this.journaled.get(instance) ?? 0)) {
      this.journaled.set(instance, sequence);
      if (type === MessageType.spans) this.#takeSpans(payload);
      else if (type === MessageType.runtime) this.runtime.push(decodeRuntime(payload));
      else if (type === MessageType.gap) this.gaps.push(decodeGap(payload).dropped);
    }
    if (this.behaviour.acknowledges !== false) writePast(socket, encodeAck(sequence));
  }

  #takeSpans(payload: Buffer): void {
    const baseMs = Number(payload.readBigUInt64LE(8)) / 1_000;
    decodeSpans(payload, (span) => {
      const { shape, trace } = span;
      this.spans.push({
        scope: shape.scope,
        kind: shape.kind,
        name: span.name,
        traceId: trace.traceId,
        spanId: hex(span.idHi) + hex(span.idLo),
        parentId: span.parentHi === 0 && span.parentLo === 0 ? "" : hex(span.parentHi) + hex(span.parentLo),
        isLocalRoot: span.isLocalRoot,
        hasRemoteParent: span.hasRemoteParent,
        hasError: span.hasError,
        startUnixMs: baseMs + (span.endOffsetNs - span.durationNs) / 1e6,
        durationMs: span.durationNs / 1e6,
        attributes: Object.fromEntries(shape.keys.map((key, i) => [key, shape.values[i] as AttributeValue])),
        extra: parseSpanExtra(span.extraJson),
      });
    });
  }
}

/**
 * Writes without Node's stream. An app that has ended cannot take an acknowledgement; the EPIPE of a stream write would
 * destroy the socket and with it what the app wrote before its end and was not read yet.
 */
function writePast(socket: Socket, bytes: Buffer): void {
  const fd = (socket as Socket & { _handle?: { fd: number } | null })._handle?.fd ?? -1;
  try {
    if (fd >= 0) writeSync(fd, bytes);
  } catch {
    // Gone, or not reading: reading on is what counts.
  }
}

/** Waits until a condition holds; fails after 30 s with the sentence: machines that run tests are busy. */
export async function until(isTrue: () => boolean, sentence: string): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`not within ${DEADLINE_MS} ms: ${sentence}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function hex(half: number): string {
  return half.toString(16).padStart(8, "0");
}
