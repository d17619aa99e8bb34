import { Agent, request } from "node:http";

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
 * Sends each planned request exactly once, over kept-alive connections, `concurrency` at a time, and times each by its
 * own clock. Nothing is retried: a request without an answer is an answer of status 0.
 */
export class LoadGenerator {
  readonly answers: Promise<Answer[]>;
  readonly #plan: readonly PlannedRequest[];
  readonly #agent: Agent;
  #sent = 0;
  #answered = 0;

  constructor(plan: readonly PlannedRequest[], concurrency: number) {
    this.#plan = plan;
    this.#agent = new Agent({ keepAlive: true, maxSockets: concurrency });
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
        answers.push(await send(planned, this.#agent));
        this.#answered++;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    this.#agent.destroy();
    return answers;
  }
}

export function sendAll(plan: readonly PlannedRequest[], concurrency: number): Promise<Answer[]> {
  return new LoadGenerator(plan, concurrency).answers;
}

function send(planned: PlannedRequest, agent: Agent): Promise<Answer> {
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
      incoming.on("end", end);
      incoming.on("error", fail);
    });
    outgoing.on("error", fail);
    outgoing.end(body);
  });
}
