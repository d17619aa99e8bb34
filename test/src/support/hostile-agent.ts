import { encodeHello, type Hello, SpanEncoder, slotTypeOf, TraceEntry } from "@apm-daemon/protocol";
import { AgentSocket } from "./agent-socket.ts";
import { eventually } from "./eventually.ts";

const KIND_SERVER = 1;
let incarnations = 0;

/** An agent that speaks the protocol well and says what no well-meant app would. */
export class HostileAgent {
  readonly socket: AgentSocket;
  readonly #encoder = new SpanEncoder();
  #sequence = 0;
  #ids = 0;

  private constructor(socket: AgentSocket) {
    this.socket = socket;
  }

  /** Connects and says HELLO; what comes back is in `socket`. */
  static async greet(path: string, hello: Partial<Hello>): Promise<HostileAgent> {
    const socket = await AgentSocket.open(path);
    const instance = (++incarnations).toString(16).padStart(32, "0");
    const whole: Hello = {
      app: "hostile",
      instance,
      pid: process.pid,
      startUnixMs: 0,
      runtime: "node 20",
      agentVersion: "0",
      firstUnacknowledged: 1,
      ...hello,
    };
    socket.write(encodeHello(whole));
    return new HostileAgent(socket);
  }

  /** Reports one request of each name, and waits until it is journaled. */
  async report(actions: readonly string[]): Promise<void> {
    const nowUs = Date.now() * 1_000;
    this.#encoder.begin(nowUs);
    for (const action of actions) {
      const id = ++this.#ids;
      const shape = this.#encoder.shapes
        .root("test", KIND_SERVER)
        .follow("http.response.status_code", slotTypeOf(500));
      if (shape === null) throw new Error("too many shapes");
      const record = {
        shape,
        values: [500],
        name: action,
        trace: new TraceEntry(1, 2, incarnations, id, incarnations, id),
        idHi: incarnations,
        idLo: id,
        parentHi: 0,
        parentLo: 0,
        isLocalRoot: true,
        hasRemoteParent: false,
        hasError: true,
        extra: null,
      };
      if (this.#encoder.add(record, 0, 1_000_000) !== "added") throw new Error(`"${action}" does not fit`);
    }
    this.socket.write(Buffer.from(this.#encoder.take(++this.#sequence)));
    await eventually("the frame is acknowledged", 20_000, () => {
      if (this.socket.messages("ack").length === 0) throw new Error("no ACK yet");
    });
  }
}
