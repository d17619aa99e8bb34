import { AsyncLocalStorage } from "node:async_hooks";
import type { Context } from "@opentelemetry/api";
import { AgentLog } from "../agent-log.ts";
import { DaemonLink } from "../link/daemon-link.ts";
import { chosenSocket, type SocketPlaces } from "../link/default-sockets.ts";
import { SpanBuffer } from "../link/span-buffer.ts";
import { OverheadContract } from "../overhead/overhead-contract.ts";
import { Statements } from "../sql/statements.ts";
import { KeyPolicies } from "../tracer/key-policy.ts";
import { RandomIds } from "../tracer/random-ids.ts";
import { SpanRules } from "../tracer/span-rules.ts";
import type { ApmTracer } from "../tracer/tracer.ts";
import { ApmTracerProvider } from "../tracer/tracer-provider.ts";

/** A tracer with its link to a socket, without instrumentations and globals: what tests of either need. */
export class LinkedTracer {
  readonly lines: string[] = [];
  readonly storage: AsyncLocalStorage<Context> = new AsyncLocalStorage();
  /** What the overhead contract goes by. */
  readonly clock = { cpuUs: 0, nowMs: 0 };
  readonly contract: OverheadContract = new OverheadContract({
    cpuUsage: () => ({ user: this.clock.cpuUs, system: 0 }),
    monoMs: () => this.clock.nowMs,
    onStep: () => undefined,
  });
  readonly buffer: SpanBuffer;
  readonly link: DaemonLink;
  readonly provider: ApmTracerProvider;
  readonly tracer: ApmTracer;

  constructor(sockets: string | SocketPlaces, ringBytes: number = 4_194_304) {
    const log = new AgentLog((line) => this.lines.push(line));
    this.buffer = new SpanBuffer(ringBytes, log, this.contract, () => this.link.send());
    this.link = new DaemonLink({
      sockets: typeof sockets === "string" ? chosenSocket(sockets) : sockets,
      ring: this.buffer.ring,
      identity: {
        app: "test",
        instance: "0123456789abcdef0123456789abcdef",
        pid: process.pid,
        startUnixMs: Date.now(),
        runtime: "node",
        agentVersion: "0",
      },
      log,
      onSettings: (settings) => {
        this.buffer.flushIntervalMs = settings.flushIntervalMs;
      },
      onAcknowledged: () => this.buffer.reportDrops(),
      random: () => 0,
    });
    this.provider = new ApmTracerProvider({
      shapes: this.buffer.encoder.shapes,
      sink: this.buffer,
      rules: new SpanRules(new KeyPolicies(), new Statements()),
      ids: new RandomIds(),
      storage: this.storage,
    });
    this.tracer = this.provider.tracer("test");
  }

  /** Ends that many spans named "n". */
  emit(count: number, name: string = "n", text: string = ""): void {
    for (let i = 0; i < count; i++) {
      const span = this.tracer.startSpan(name);
      if (text !== "") span.setAttribute("text", `${i}${text}`);
      span.end();
    }
  }

  stop(): void {
    this.buffer.finish(null);
    this.link.stop();
  }
}
