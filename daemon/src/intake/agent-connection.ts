/**
 * One agent's connection.
 *
 *   greeting --HELLO--> open --end of the stream--> ended
 *      └── anything else, 2 s of silence, more than its share (connection-guard.ts): REFUSE, ended
 *
 * The stream is read to its end, also when the app is gone already: what it wrote before is there still.
 * All frames of one read are journaled in one write; acknowledgements.ts says when the agent is told. When the journal cannot be written these frames wait
 * (WriteGate) and nothing more is read, until they are: the app's ring holds what it sends meanwhile, and counts what it drops. Bytes that break the protocol end this
 * connection with a REFUSE that says why; no other connection notices.
 */
import type { Socket } from "node:net";
import {
  type AgentSettings,
  decodeHello,
  encodeRefuse,
  encodeSettings,
  encodeWelcome,
  type Hello,
  MessageReader,
  MessageType,
  ProtocolError,
  type Refuse,
  sequenceOf,
} from "@apm-daemon/protocol";
import type { Logger } from "pino";
import { Acknowledgements } from "./acknowledgements.ts";
import { type ConnectionGuard, type Refusal, WHAT_MAY_CONNECT } from "./connection-guard.ts";
import type { DataFrame, FrameIntake } from "./frame-intake.ts";
import { type AppInstance, type InstanceRegistry, InstanceTaken } from "./instance-registry.ts";
import type { IntakeQuotas } from "./intake-quotas.ts";
import type { PeerCredentials } from "./peer-credentials.ts";
import { refuseConnection } from "./refuse-connection.ts";
import type { RepeatedEvents } from "./repeated-events.ts";
import type { WriteGate } from "./write-gate.ts";
import { writePast } from "./write-past.ts";

export interface AgentConnectionOptions {
  socket: Socket;
  /** Null where the kernel cannot be asked. */
  peer: PeerCredentials | null;
  quotas: IntakeQuotas;
  events: RepeatedEvents;
  registry: InstanceRegistry;
  intake: FrameIntake;
  gate: WriteGate;
  settings: AgentSettings;
  log: Logger;
  clock: { unixMs(): number; monoMs(): number };
  onOpen: (instance: AppInstance) => void;
  onEnd: (instance: AppInstance | null, end: "bye" | "closed" | "refused") => void;
}

const DATA_FRAMES: ReadonlySet<number> = new Set([
  MessageType.spans,
  MessageType.runtime,
  MessageType.gap,
  MessageType.bye,
]);
/** A stop waits this long for agents to hang up, and takes in what they wrote before. */
const HANG_UP_WITHIN_MS = 500;

const STOPPING = "the daemon is stopping; frames stay with the app until it is back";

export class AgentConnection {
  readonly #options: AgentConnectionOptions;
  readonly #reader: MessageReader;
  readonly #guard: ConnectionGuard;
  readonly #acknowledgements: Acknowledgements;
  #messages = 0;
  #frames: DataFrame[] = [];
  #instance: AppInstance | null = null;
  #end: "bye" | "closed" | "refused" = "closed";
  #isEnded = false;
  #settings: AgentSettings;

  constructor(options: AgentConnectionOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#reader = new MessageReader((type, payload) => this.#accept(type, payload));
    this.#acknowledgements = new Acknowledgements(options.socket, options.clock);
    const account = options.quotas.accountOf(options.peer);
    this.#guard = options.quotas.enter(account, options.socket, (refusal) => this.#turnAway(refusal));
    options.socket.on("data", (chunk: Buffer) => this.#read(chunk));
    options.socket.on("error", () => undefined); // "close" follows.
    options.socket.on("close", () => this.#ended());
  }

  /** Asks the agent to hang up, and takes in what it wrote until it does: it keeps the rest and comes back. */
  close(): void {
    if (this.#instance === null) {
      this.#refuse("SHUTTING_DOWN", STOPPING, 1_000);
      return;
    }
    const { socket } = this.#options;
    this.#acknowledgements.tell();
    writePast(socket, encodeRefuse({ code: "SHUTTING_DOWN", message: STOPPING, retryAfterMs: 1_000 }));
    const timer = setTimeout(() => socket.destroy(), HANG_UP_WITHIN_MS);
    socket.once("close", () => clearTimeout(timer));
  }

  /** Tells the agent its settings anew; one that has not greeted yet hears them in its WELCOME. */
  tell(settings: AgentSettings): void {
    this.#settings = settings;
    if (this.#instance === null || this.#isEnded) return;
    const { socket } = this.#options;
    const message = encodeSettings(settings);
    // An app that does not read now hears it when it does.
    if (!writePast(socket, message)) socket.write(message);
  }

  #read(chunk: Buffer): void {
    if (this.#isEnded) return;
    const messagesBefore = this.#messages;
    let failure: unknown;
    try {
      this.#reader.push(chunk);
    } catch (error) {
      failure = error;
    }
    // What was whole before bad bytes is good: journaled and acknowledged before the connection ends.
    this.#receive();
    if (failure !== undefined) this.#giveUp(failure);
    if (!this.#isEnded)
      this.#guard.noteRead(chunk.length, this.#messages - messagesBefore, this.#reader.pendingBytes);
  }

  #accept(type: number, payload: Buffer): void {
    if (this.#isEnded) return;
    this.#messages++;
    if (this.#instance === null) {
      this.#greet(type, payload);
      return;
    }
    if (type === MessageType.bye) this.#end = "bye";
    if (DATA_FRAMES.has(type)) this.#frames.push({ type, sequence: sequenceOf(payload), payload });
    else this.#options.intake.counts.malformed++;
  }

  #greet(type: number, payload: Buffer): void {
    if (type !== MessageType.hello)
      throw new ProtocolError("FRAME_MALFORMED", `the first message must be HELLO, this is type ${type}`);
    const hello = decodeHello(payload);
    const { socket } = this.#options;
    const instance = this.#recognise(hello);
    if (instance === null) return;
    this.#guard.greeted();
    this.#instance = instance;
    this.#options.onOpen(instance);
    writePast(
      socket,
      encodeWelcome({
        version: hello.version,
        lastSequence: instance.lastSequence,
        settings: this.#settings,
      }),
    );
  }

  /** Null when it was refused. */
  #recognise(hello: Hello): AppInstance | null {
    try {
      return this.#options.registry.greet(hello, this.#options.peer);
    } catch (error) {
      if (!(error instanceof InstanceTaken)) throw error;
      const { message } = error;
      this.#turnAway({
        reason: "instance_of_other_uid",
        code: "INSTANCE_TAKEN",
        message,
        retryAfterMs: 30_000,
      });
      return null;
    }
  }

  #receive(): void {
    const instance = this.#instance;
    if (instance === null || this.#frames.length === 0) return;
    const { intake, gate } = this.#options;
    const frames = this.#frames;
    this.#frames = [];
    const bytes = frames.reduce((sum, { payload }) => sum + payload.length, 0);
    const isTaken = gate.run({
      owner: this,
      write: () =>
        intake.receive(instance, frames, (sequence) => {
          if (!this.#isEnded) this.#acknowledgements.journaled(sequence, frames.length, bytes);
        }),
      written: () => this.#guard.release(),
      failed: (error) => this.#giveUp(error),
    });
    if (!isTaken) this.#guard.hold();
  }

  #giveUp(error: unknown): void {
    if (!(error instanceof ProtocolError)) {
      this.#options.log.error(
        { err: error },
        "a fault of the daemon: what an app sent could not be taken in",
      );
      this.#refuse("SHUTTING_DOWN", "the daemon failed to take this in; see its log", 5_000);
      return;
    }
    this.#options.intake.counts.malformed++;
    // A version's refusal says already what to install.
    const message =
      error.code === "VERSION_UNSUPPORTED" ? error.message : `${error.message}; ${WHAT_MAY_CONNECT}`;
    this.#options.events.note(
      "warn",
      `malformed ${error.code}`,
      { ...this.#who(), code: error.code },
      `closed an agent connection: ${message}`,
    );
    const code =
      error.code === "VERSION_UNSUPPORTED" || error.code === "FRAME_TOO_LARGE"
        ? error.code
        : this.#instance === null
          ? "HELLO_MALFORMED"
          : "FRAME_MALFORMED";
    this.#refuse(code, message);
  }

  /** Ends a connection that breaks no rule of the protocol but a limit. */
  #turnAway({ reason, ...refusal }: Refusal): void {
    if (this.#isEnded) return;
    const { quotas, events } = this.#options;
    quotas.countRefusal(this.#guard.account, reason);
    events.note(
      "warn",
      `refused ${reason}`,
      { ...this.#who(), reason },
      `refused a connection: ${refusal.message}`,
    );
    this.#refuse(refusal.code, refusal.message, refusal.retryAfterMs);
  }

  #who(): Record<string, unknown> {
    const { peer } = this.#options;
    return { app: this.#instance?.app, uid: peer?.uid, pid: peer?.pid ?? this.#instance?.pid };
  }

  #refuse(code: Refuse["code"], message: string, retryAfterMs = 30_000): void {
    if (this.#isEnded) return;
    this.#acknowledgements.tell();
    this.#isEnded = true;
    this.#guard.end();
    this.#end = "refused";
    refuseConnection(this.#options.socket, { code, message, retryAfterMs });
  }

  #ended(): void {
    if (!this.#isEnded) this.#guard.end();
    this.#acknowledgements.stop();
    this.#options.gate.forget(this);
    this.#isEnded = true;
    const instance = this.#instance;
    this.#instance = null;
    if (instance !== null) this.#options.registry.leave(instance, this.#options.clock.unixMs());
    this.#options.onEnd(instance, this.#end);
  }
}
