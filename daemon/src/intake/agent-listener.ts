import { createServer, type Server, type Socket } from "node:net";
import type { AgentSettings, Refuse } from "@apm-daemon/protocol";
import type { Logger } from "pino";
import { AgentConnection } from "./agent-connection.ts";
import type { FrameIntake } from "./frame-intake.ts";
import type { AppInstance, InstanceRegistry } from "./instance-registry.ts";
import type { IntakeQuotas } from "./intake-quotas.ts";
import { listenOnPassed } from "./passed-socket.ts";
import type { PeerCredentials, PeerCredentialsReader } from "./peer-credentials.ts";
import type { RefusalReason } from "./refusal-counts.ts";
import { refuseAtOnce, refuseConnection } from "./refuse-connection.ts";
import type { RepeatedEvents } from "./repeated-events.ts";
import { listenOnSocket } from "./socket-path.ts";
import type { WriteGate } from "./write-gate.ts";

export interface AgentListenerOptions {
  path: string;
  mode: number;
  /** Where systemd listens at that path. */
  passedFd?: number | undefined;
  maxConnections: number;
  /** Null where the kernel cannot be asked who connects. */
  readPeer: PeerCredentialsReader | null;
  quotas: IntakeQuotas;
  events: RepeatedEvents;
  registry: InstanceRegistry;
  intake: FrameIntake;
  gate: WriteGate;
  settings: AgentSettings;
  log: Logger;
  clock: { unixMs(): number; monoMs(): number };
  onOpen: (instance: AppInstance) => void;
  /** `end` is how the connection ended; the instance may have another one still. */
  onEnd: (instance: AppInstance, end: "bye" | "closed" | "refused") => void;
}

const TICK_MS = 500;
/** A minute: by then all rates are 0 and all counts told. */
const REST_AFTER_TICKS = 120;
/** Connections over the limit that may read their refusal at leisure; each holds a descriptor meanwhile. */
const MAX_LEAVING = 256;

/** Takes connections on the agent socket, up to a limit below which the kernel would cut them silently. */
export class AgentListener {
  readonly #options: AgentListenerOptions;
  readonly #server: Server;
  #settings: AgentSettings;
  readonly #connections = new Set<AgentConnection>();
  #leaving = 0;
  #ticker: NodeJS.Timeout | null = null;
  #idleTicks = 0;

  constructor(options: AgentListenerOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#server = createServer((socket) => this.#take(socket));
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Whether uid and pid of a connection are the kernel's word. */
  get proves(): boolean {
    return this.#options.readPeer !== null;
  }

  get quotas(): IntakeQuotas {
    return this.#options.quotas;
  }

  /** New settings, for those who are connected and those who will be. */
  tell(settings: AgentSettings): void {
    this.#settings = settings;
    for (const connection of this.#connections) connection.tell(settings);
  }

  async start(): Promise<void> {
    const { path, mode, passedFd } = this.#options;
    if (passedFd === undefined) await listenOnSocket(this.#server, path, mode);
    else await listenOnPassed(this.#server, passedFd, path);
    this.#server.on("error", (error) =>
      this.#options.log.error({ err: error }, "the agent socket failed; apps cannot connect"),
    );
  }

  /** Stops taking connections and ends the open ones; their agents keep what is not acknowledged. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => {
        if (this.#ticker !== null) clearInterval(this.#ticker);
        this.#options.events.finish();
        resolve();
      });
      this.#options.quotas.release();
      for (const connection of this.#connections) connection.close();
    });
  }

  /** While nobody is connected, and has not been for a while, nothing wakes the daemon. */
  #tick(): void {
    this.#options.quotas.tick();
    this.#options.events.tick();
    this.#idleTicks = this.#connections.size + this.#leaving > 0 ? 0 : this.#idleTicks + 1;
    if (this.#idleTicks < REST_AFTER_TICKS || this.#ticker === null) return;
    clearInterval(this.#ticker);
    this.#ticker = null;
  }

  #take(socket: Socket): void {
    this.#idleTicks = 0;
    this.#ticker ??= setInterval(() => this.#tick(), TICK_MS);
    const { readPeer, quotas, maxConnections } = this.#options;
    const peer = readPeer === null ? null : readPeer(socket);
    // Where there is proof, nobody is let in without: the descriptor is closed already.
    if (readPeer !== null && peer === null) {
      socket.on("error", () => undefined);
      socket.destroy();
      return;
    }
    if (this.#connections.size >= maxConnections)
      this.#turnAway(
        socket,
        peer,
        "connections",
        `the daemon has ${maxConnections} connections already: raise limits.connections`,
      );
    else if (!quotas.hasRoom(peer))
      this.#turnAway(
        socket,
        peer,
        "connections_per_uid",
        `user ${peer?.uid} has ${quotas.connectionsPerUid} connections already: raise limits.connections_per_uid`,
      );
    else this.#open(socket, peer);
  }

  #turnAway(socket: Socket, peer: PeerCredentials | null, reason: RefusalReason, message: string): void {
    const { quotas, events } = this.#options;
    quotas.countTurnedAway(peer, reason);
    events.note(
      "warn",
      `refused ${reason}`,
      { reason, uid: peer?.uid, pid: peer?.pid },
      `refused a connection: ${message}`,
    );
    const refusal: Refuse = { code: "TOO_MANY_CONNECTIONS", message, retryAfterMs: 30_000 };
    socket.on("error", () => undefined);
    if (this.#leaving >= MAX_LEAVING) {
      refuseAtOnce(socket, refusal);
      return;
    }
    this.#leaving++;
    socket.once("close", () => {
      this.#leaving--;
    });
    refuseConnection(socket, refusal);
  }

  #open(socket: Socket, peer: PeerCredentials | null): void {
    const { quotas, events, registry, intake, gate, log, clock, onOpen, onEnd } = this.#options;
    const connection = new AgentConnection({
      socket,
      peer,
      quotas,
      events,
      registry,
      intake,
      gate,
      settings: this.#settings,
      log,
      clock,
      onOpen,
      onEnd: (instance, end) => {
        this.#connections.delete(connection);
        if (instance === null) return;
        const sentence = end === "bye" ? "an app's process ended" : "an app's connection ended";
        events.note("info", sentence, { app: instance.app, pid: instance.pid }, sentence);
        onEnd(instance, end);
      },
    });
    this.#connections.add(connection);
  }
}
