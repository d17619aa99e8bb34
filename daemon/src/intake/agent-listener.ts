import { createServer, type Server, type Socket } from "node:net";
import type { AgentSettings } from "@apm-daemon/protocol";
import type { Logger } from "pino";
import { AgentConnection } from "./agent-connection.ts";
import type { FrameIntake } from "./frame-intake.ts";
import type { AppInstance, InstanceRegistry } from "./instance-registry.ts";
import { refuseConnection } from "./refuse-connection.ts";
import { listenOnSocket } from "./socket-path.ts";
import type { WriteGate } from "./write-gate.ts";

export interface AgentListenerOptions {
  path: string;
  mode: number;
  maxConnections: number;
  registry: InstanceRegistry;
  intake: FrameIntake;
  gate: WriteGate;
  settings: AgentSettings;
  log: Logger;
  clock: { unixMs(): number };
  onOpen: (instance: AppInstance) => void;
  /** `end` is how the connection ended; the instance may have another one still. */
  onEnd: (instance: AppInstance, end: "bye" | "closed" | "refused") => void;
}

/** Takes connections on the agent socket, up to a limit below which the kernel would cut them silently. */
export class AgentListener {
  readonly #options: AgentListenerOptions;
  readonly #server: Server;
  readonly #connections = new Set<AgentConnection>();
  /** Connections refused because there were too many, since start. */
  refused = 0;

  constructor(options: AgentListenerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#take(socket));
  }

  get connections(): number {
    return this.#connections.size;
  }

  async start(): Promise<void> {
    await listenOnSocket(this.#server, this.#options.path, this.#options.mode);
    this.#server.on("error", (error) =>
      this.#options.log.error({ err: error }, "the agent socket failed; apps cannot connect"),
    );
  }

  /** Stops taking connections and ends the open ones; their agents keep what is not acknowledged. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const connection of this.#connections) connection.close();
    });
  }

  #take(socket: Socket): void {
    if (this.#connections.size >= this.#options.maxConnections) {
      this.refused++;
      const message = `the daemon has ${this.#options.maxConnections} connections already: raise limits.connections`;
      socket.on("error", () => undefined);
      refuseConnection(socket, { code: "TOO_MANY_CONNECTIONS", message, retryAfterMs: 30_000 });
      return;
    }
    const { registry, intake, gate, settings, log, clock, onOpen, onEnd } = this.#options;
    const connection = new AgentConnection({
      socket,
      registry,
      intake,
      gate,
      settings,
      log,
      clock,
      onOpen,
      onEnd: (instance, end) => {
        this.#connections.delete(connection);
        if (instance === null) return;
        log.info(
          { app: instance.app, pid: instance.pid },
          end === "bye" ? "an app's process ended" : "an app's connection ended",
        );
        onEnd(instance, end);
      },
    });
    this.#connections.add(connection);
  }
}
