import { Agent, request } from "node:http";
import type { Socket } from "node:net";

/** No route of the test apps takes that long: an app that hangs must not hang the test. */
const ANSWER_DEADLINE_MS = 60_000;

/** One request to send and what its author expects of it. */
export interface PlannedRequest {
  url: string;
  method: "GET" | "POST";
  /** Sent as JSON. */
  body?: Record<string, unknown>;
  expectedStatus: number;
  /** The name under which the app's agent must report it. */
  action: string;
}

export interface Answer {
  planned: PlannedRequest;
  /** 0: no answer; `failure` says why. */
  status: number;
  durationMs: number;
  body: string;
  headers: Record<string, string>;
  failure: string;
}

/**
 * When a request is over. "answered": the last byte of the answer is here. "closed": the server has closed the
 * connection, one for each request; a server does so after its own response is finished, and on a busy machine it may
 * come to that long after its last byte has left. So no server can have taken longer.
 */
export type Until = "answered" | "closed";

/**
 * Sends each planned request exactly once, `concurrency` at a time, and times each by its own clock. Nothing is retried:
 * a request without an answer is an answer of status 0. Connections are kept alive, but for `until: "closed"`.
 */
export class LoadGenerator {
  readonly answers: Promise<Answer[]>;
  readonly #plan: readonly PlannedRequest[];
  readonly #agent: Agent;
  readonly #until: Until;
  #sent = 0;
  #answered = 0;

  constructor(plan: readonly PlannedRequest[], concurrency: number, until: Until = "answered") {
    this.#plan = plan;
    this.#until = until;
    this.#agent = new Agent({ keepAlive: until === "answered", maxSockets: concurrency });
    this.answers = this.#run(concurrency);
  }

  /** Requests answered so far. */
  get answered(): number {
    return this.#answered;
  }

  async #run(concurrency: number): Promise<Answer[]> {
    const answers: Answer[] = [];
    const worker = async (): Promise<void> => {
      for (
        let planned = this.#plan[this.#sent++];
        planned !== undefined;
        planned = this.#plan[this.#sent++]
      ) {
        answers.push(await send(planned, this.#agent, this.#until));
        this.#answered++;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    this.#agent.destroy();
    return answers;
  }
}

export function sendAll(
  plan: readonly PlannedRequest[],
  concurrency: number,
  until: Until = "answered",
): Promise<Answer[]> {
  return new LoadGenerator(plan, concurrency, until).answers;
}

function send(planned: PlannedRequest, agent: Agent, until: Until): Promise<Answer> {
  const start = performance.now();
  const body = planned.body === undefined ? undefined : JSON.stringify(planned.body);
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  return new Promise((resolve) => {
    const answer: Answer = { planned, status: 0, durationMs: 0, body: "", headers: {}, failure: "" };
    const end = (): void => {
      answer.durationMs = performance.now() - start;
      resolve(answer);
    };
    const fail = (error: Error): void => {
      answer.status = 0;
      answer.failure = `${planned.method} ${planned.url}: ${error.message}`;
      end();
    };
    const signal = AbortSignal.timeout(ANSWER_DEADLINE_MS);
    const outgoing = request(planned.url, { method: planned.method, headers, agent, signal }, (incoming) => {
      answer.status = incoming.statusCode ?? 0;
      for (const [name, value] of Object.entries(incoming.headers)) answer.headers[name] = String(value);
      incoming.setEncoding("utf8");
      incoming.on("data", (text: string) => {
        answer.body += text;
      });
      if (until === "answered") incoming.on("end", end);
      else incoming.socket.once("close", end);
      incoming.on("error", fail);
    });
    if (until === "closed") outgoing.on("socket", leaveClosingToServer);
    outgoing.on("error", fail);
    outgoing.end(body);
  });
}

/** Node's client closes its side as soon as it has the whole answer. */
function leaveClosingToServer(socket: Socket): void {
  socket.destroySoon = () => undefined;
}
