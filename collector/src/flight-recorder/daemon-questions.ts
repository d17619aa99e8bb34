import type { UplinkWant, UplinkWantText } from "@apm-daemon/protocol";
import { AnswerGatherer, type DaemonAnswer, MAX_QUESTION_BYTES } from "./daemon-answer.ts";
import { TextAnswer, type ToldText } from "./text-answer.ts";

/** A daemon that said hello. */
export interface ConnectedDaemon {
  host: string;
  /** The daemon's own id. */
  stream: string;
  send(want: UplinkWant | UplinkWantText): void;
}

/** The collector's end of one connection. */
export interface DaemonLine {
  /** Takes a FOUND or TEXT message, whatever it is. */
  found(message: { id?: unknown }): void;
  /** The connection has ended. */
  leave(): void;
}

/** Part of the deadline that a daemon gets: the rest is for the way there and back. */
const DAEMON_RATIO = 0.8;

/** One daemon's answer to one question, while it comes. */
interface PendingAnswer {
  /** True when this message was the last one. */
  take(message: unknown): boolean;
  giveUp(gap: "deadline" | "connection_lost"): void;
}

interface Line extends ConnectedDaemon {
  pending: Map<number, PendingAnswer>;
}

/** The daemons that are connected now, and the questions that they were asked. */
export class DaemonQuestions {
  /** In the order in which they came. */
  readonly #lines = new Set<Line>();
  #nextId = 1;

  join(daemon: ConnectedDaemon): DaemonLine {
    const line: Line = { ...daemon, pending: new Map() };
    this.#lines.add(line);
    return {
      // What nobody asked for, or comes too late, is not even looked at.
      found: (message) => {
        const { id } = message;
        if (typeof id === "number" && line.pending.get(id)?.take(message)) line.pending.delete(id);
      },
      leave: () => {
        this.#lines.delete(line);
        for (const answer of line.pending.values()) answer.giveUp("connection_lost");
        line.pending.clear();
      },
    };
  }

  /** Names of the hosts that are connected now. */
  hosts(): Set<string> {
    return new Set([...this.#lines].map(({ host }) => host));
  }

  /** Asks every daemon for a trace. Resolves when all have answered, or when the time is over; never rejects. */
  ask(traceId: string, deadlineMs: number): Promise<DaemonAnswer[]> {
    const budget = { bytes: MAX_QUESTION_BYTES };
    return this.#askAll<DaemonAnswer>(deadlineMs, (line, id, settle) => {
      line.pending.set(id, new AnswerGatherer({ host: line.host, traceId, budget }, settle));
      line.send({
        type: "want",
        id,
        traceIds: [traceId],
        deadlineMs: Math.floor(deadlineMs * DAEMON_RATIO),
      });
    });
  }

  /** Asks every daemon for the text of a statement. Resolves likewise. */
  askText(fingerprint: string, deadlineMs: number): Promise<ToldText[]> {
    return this.#askAll<ToldText>(deadlineMs, (line, id, settle) => {
      line.pending.set(id, new TextAnswer(line.host, settle));
      line.send({ type: "want_text", id, fingerprint });
    });
  }

  async #askAll<Answer>(
    deadlineMs: number,
    askOne: (line: Line, id: number, settle: (answer: Answer) => void) => void,
  ): Promise<Answer[]> {
    const id = this.#nextId++;
    const asked = this.#newestLines();
    const answers = asked.map((line) => new Promise<Answer>((settle) => askOne(line, id, settle)));
    const timer = setTimeout(() => {
      for (const { pending } of asked) {
        pending.get(id)?.giveUp("deadline");
        pending.delete(id);
      }
    }, deadlineMs);
    try {
      return await Promise.all(answers);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Of a daemon that came back while its old connection is not known to be dead, the new one. */
  #newestLines(): Line[] {
    return [...new Map([...this.#lines].map((line) => [line.stream, line])).values()];
  }
}
