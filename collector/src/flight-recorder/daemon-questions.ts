import type { UplinkWant } from "@apm-daemon/protocol";
import { AnswerGatherer, type DaemonAnswer, MAX_QUESTION_BYTES } from "./daemon-answer.ts";

/** A daemon that said hello. */
export interface ConnectedDaemon {
  host: string;
  /** The daemon's own id. */
  stream: string;
  send(want: UplinkWant): void;
}

/** The collector's end of one connection. */
export interface DaemonLine {
  /** Takes a FOUND message, whatever it is. */
  found(message: { id?: unknown }): void;
  /** The connection has ended. */
  leave(): void;
}

/** Part of the deadline that a daemon gets: the rest is for the way there and back. */
const DAEMON_RATIO = 0.8;

interface Line extends ConnectedDaemon {
  pending: Map<number, AnswerGatherer>;
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
  async ask(traceId: string, deadlineMs: number): Promise<DaemonAnswer[]> {
    const budget = { bytes: MAX_QUESTION_BYTES };
    const id = this.#nextId++;
    const asked = this.#newestLines();
    const answers = asked.map(
      (line) =>
        new Promise<DaemonAnswer>((settle) => {
          line.pending.set(id, new AnswerGatherer({ host: line.host, traceId, budget }, settle));
          line.send({
            type: "want",
            id,
            traceIds: [traceId],
            deadlineMs: Math.floor(deadlineMs * DAEMON_RATIO),
          });
        }),
    );
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
