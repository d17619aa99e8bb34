import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { LIVE_FEATURE, MAX_UPLINK_MESSAGE_BYTES, UPLINK_SUBPROTOCOL } from "@apm-daemon/protocol";
import type { Logger } from "pino";
import { WebSocketServer } from "ws";
import type { DaemonLine, DaemonQuestions } from "../flight-recorder/daemon-questions.ts";
import type { KeyInfo, KeyStore } from "../key-store.ts";
import type { LiveHosts, LiveLine } from "../live/live-hosts.ts";
import type { SettingsStore } from "../settings/settings-store.ts";
import type { BatchIntake } from "./batch-intake.ts";
import type { ConnectedDaemon } from "./connected-daemon.ts";
import { FleetSpread } from "./fleet-spread.ts";
import { HostNames } from "./host-names.ts";
import { UplinkConnection } from "./uplink-connection.ts";

const UPLINK_PATH = "/uplink";
/** Refusals and unreadable keys are logged once in this time: a daemon with a wrong key tries forever. */
const REFUSAL_LOG_MS = 60_000;
/** A stopping collector is mostly one that starts again. */
const RETRY_AFTER_STOP_SEC = 2;
const RETRY_LATER_SEC = 10;
const CLOSE_DEADLINE_MS = 1_000;
/** Daemons send a message as one frame; a proxy between may cut it. */
const MAX_FRAGMENTS = 128;
/** Reads that one frame may come in: 8 MiB in packets of a slow line. */
const MAX_BUFFERED_CHUNKS = 16_384;
/** A refused peer that does not hang up is hung up on. */
const REFUSED_LINGER_MS = 2_000;

export interface UplinkServerOptions {
  intake: BatchIntake;
  keys: KeyStore;
  questions: DaemonQuestions;
  liveHosts: LiveHosts;
  settings: SettingsStore;
  lastNumber: (stream: string) => number;
  maxUplinks: number;
  version: string;
  clock: () => number;
  log: Logger;
}

/** What is known of a connection before its hello. */
interface Arrival {
  address: string;
  key: string;
  connectedUnixMs: number;
}

interface Refusal {
  status:
    | "400 Bad Request"
    | "401 Unauthorized"
    | "403 Forbidden"
    | "404 Not Found"
    | "503 Service Unavailable";
  sentence: string;
}

/** Takes WebSocket upgrades on /uplink; nothing is read from a peer before its license key was accepted. */
export class UplinkServer {
  readonly #options: UplinkServerOptions;
  readonly #sockets: WebSocketServer;
  readonly #connections: Map<UplinkConnection, Arrival> = new Map();
  readonly #hostNames: HostNames;
  readonly #spread: FleetSpread = new FleetSpread();
  #stopping = false;
  #refusals = 0;
  #refusalLoggedMs = Number.NEGATIVE_INFINITY;
  #unreadableLoggedMs = Number.NEGATIVE_INFINITY;

  constructor(options: UplinkServerOptions) {
    this.#options = options;
    this.#hostNames = new HostNames({ clock: options.clock, log: options.log });
    options.settings.onChange(() => {
      for (const connection of this.#connections.keys()) connection.sendSettings();
    });
    this.#sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: MAX_UPLINK_MESSAGE_BYTES,
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: MAX_BUFFERED_CHUNKS,
      handleProtocols: (offered) => offered.has(UPLINK_SUBPROTOCOL) && UPLINK_SUBPROTOCOL,
    });
  }

  /** Uplinks open now. */
  get count(): number {
    return this.#connections.size;
  }

  /** Those that have said who they are; of one that came back while its old connection is not known to be dead, the new one. */
  daemons(): ConnectedDaemon[] {
    const daemons = new Map<string, ConnectedDaemon>();
    for (const [connection, arrival] of this.#connections) {
      const { peer } = connection;
      if (peer === null) continue;
      const { host, stream } = peer.hello;
      const { daemonVersion, nodeVersion } = host;
      daemons.set(stream, {
        host: host.name,
        stream,
        daemonVersion,
        nodeVersion,
        ...arrival,
        settings: peer.settings,
      });
    }
    return [...daemons.values()];
  }

  /** Takes the upgrades that `others` does not. */
  attach(server: Server, others: (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean): void {
    server.on("upgrade", (request, socket, head) => {
      if (!others(request, socket, head)) this.#upgrade(request, socket, head);
    });
  }

  /** Takes no new uplinks, answers every batch that was read, then closes. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#connections.keys()].map((connection) => connection.finish()));
    const deadline = setTimeout(() => {
      for (const socket of this.#sockets.clients) socket.terminate();
    }, CLOSE_DEADLINE_MS);
    await Promise.all(
      [...this.#sockets.clients].map((socket) => new Promise((done) => socket.once("close", done))),
    );
    clearTimeout(deadline);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    const key = bearerKey(request);
    const keyInfo = this.#verify(key);
    const refusal = this.#refusalOf(request, keyInfo);
    if (refusal) return this.#refuse(request, socket, refusal);
    const address = request.socket.remoteAddress ?? "an unknown address";
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      let leave: (() => void) | undefined;
      let line: DaemonLine | undefined;
      let live: LiveLine | undefined;
      const connection = new UplinkConnection({
        socket: webSocket,
        take: (bytes) => this.#options.intake.take(bytes),
        lastNumber: this.#options.lastNumber,
        reconnectSpreadMs: () => this.#spread.ms,
        isKeyLive: () => this.#verify(key) !== null,
        introduced: ({ host, stream, features = [] }) => {
          leave?.();
          line?.leave();
          live?.leave();
          live = this.#options.liveHosts.join({
            host: host.name,
            version: host.daemonVersion,
            isAble: features.includes(LIVE_FEATURE),
            watch: (forMs) => connection.watch(forMs),
          });
          line = this.#options.questions.join({
            host: host.name,
            stream,
            send: (want) => connection.want(want),
          });
          leave = this.#hostNames.join({ name: host.name, id: host.id, stream, address });
        },
        settings: this.#options.settings,
        found: (message) => line?.found(message),
        second: (message) => live?.second(message),
        version: this.#options.version,
        log: this.#options.log.child({ key: typeof keyInfo === "object" ? keyInfo?.name : undefined }),
      });
      this.#connections.set(connection, {
        address,
        key: keyInfo !== null && keyInfo !== "unreadable" ? keyInfo.name : "",
        connectedUnixMs: this.#options.clock(),
      });
      this.#adviseAll();
      webSocket.once("close", () => {
        this.#connections.delete(connection);
        this.#adviseAll();
        leave?.();
        line?.leave();
        live?.leave();
      });
    });
  }

  #adviseAll(): void {
    if (this.#stopping || !this.#spread.update(this.count)) return;
    for (const connection of this.#connections.keys()) connection.advise(this.#spread.ms);
  }

  #verify(key: string): KeyInfo | null | "unreadable" {
    try {
      return this.#options.keys.verify(key);
    } catch (error) {
      const nowMs = this.#options.clock();
      if (nowMs - this.#unreadableLoggedMs >= REFUSAL_LOG_MS) {
        this.#unreadableLoggedMs = nowMs;
        this.#options.log.error({ err: error }, (error as Error).message);
      }
      return "unreadable";
    }
  }

  #refusalOf(request: IncomingMessage, keyInfo: KeyInfo | null | "unreadable"): Refusal | null {
    const path = (request.url ?? "").split("?", 1)[0];
    if (path !== UPLINK_PATH)
      return { status: "404 Not Found", sentence: `WebSockets are served on ${UPLINK_PATH} only.` };
    if (request.headers.origin !== undefined)
      return { status: "403 Forbidden", sentence: "Uplinks are for daemons: browsers may not open one." };
    if (keyInfo === "unreadable")
      return {
        status: "503 Service Unavailable",
        sentence: "The collector cannot read its keys; see its log.",
      };
    if (!keyInfo) {
      const sentence = request.headers.authorization
        ? "The license key is unknown or revoked; create one on the collector with: apm key create NAME"
        : "A license key is missing: send it as Authorization: Bearer KEY.";
      return { status: "401 Unauthorized", sentence };
    }
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
    if (!offered.includes(UPLINK_SUBPROTOCOL)) {
      const sentence = `This collector speaks the subprotocol ${UPLINK_SUBPROTOCOL} only; use a daemon of a matching version.`;
      return { status: "400 Bad Request", sentence };
    }
    if (this.#stopping || this.count >= this.#options.maxUplinks) {
      const sentence = this.#stopping
        ? "The collector stops."
        : "Too many daemons are connected; see limits.uplinks.";
      return { status: "503 Service Unavailable", sentence };
    }
    return null;
  }

  #refuse(request: IncomingMessage, socket: Duplex, { status, sentence }: Refusal): void {
    const body = `${sentence}\n`;
    const retryAfter = status.startsWith("503")
      ? `retry-after: ${this.#stopping ? RETRY_AFTER_STOP_SEC : RETRY_LATER_SEC}\r\n`
      : "";
    // Outside of the HTTP server's time limits from here on.
    const linger = setTimeout(() => socket.destroy(), REFUSED_LINGER_MS);
    socket.once("close", () => clearTimeout(linger));
    socket.resume();
    socket.end(
      `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\n${retryAfter}\r\n${body}`,
    );
    this.#refusals++;
    const nowMs = this.#options.clock();
    if (nowMs - this.#refusalLoggedMs < REFUSAL_LOG_MS) return;
    this.#refusalLoggedMs = nowMs;
    const from = request.socket.remoteAddress;
    this.#options.log.warn(
      { from, status, refusedSoFar: this.#refusals },
      `an uplink was refused: ${sentence}`,
    );
  }
}

function bearerKey(request: IncomingMessage): string {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
}
