import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { start, stop } from "../index.ts";
import { DaemonPeer, type ReceivedSpan, until } from "./daemon-peer.ts";
import { WebServer } from "./web-server.ts";

export interface RecordedRequest {
  entry: ReceivedSpan;
  /** Those below the entry span, in the order in which they ended. */
  calls: ReceivedSpan[];
}

/** This process as an app under the agent, with a web server whose requests do what a test asks for. */
export class RecordedApp {
  readonly peer: DaemonPeer;
  readonly #web: WebServer;
  readonly #works = new Map<string, () => unknown>();
  readonly #entries = new Map<unknown, ReceivedSpan>();
  #indexed = 0;
  #requests = 0;

  private constructor(sql: "obfuscated" | "raw") {
    // No budget: a busy machine must not make it leave calls out.
    this.peer = new DaemonPeer({ settings: { sql, flushIntervalMs: 10, overheadBudgetRatio: 0 } });
    this.#web = new WebServer((request, response) => {
      const work = this.#works.get(request.url ?? "");
      void Promise.resolve(work?.()).then(
        () => response.end(),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
  }

  /** Ends with the test. Libraries may be loaded before or after it. */
  static async start(t: TestContext, sql: "obfuscated" | "raw"): Promise<RecordedApp> {
    const app = new RecordedApp(sql);
    t.after(() => app.#stop());
    await app.peer.listen();
    start({ socket: app.peer.path, log: false });
    await until(() => app.peer.hellos.length > 0, "the agent is connected");
    await app.#web.listen();
    return app;
  }

  /** Everything that was sent to the daemon, to search for what must not be there. */
  get sent(): string {
    return Buffer.concat(this.peer.received).toString("latin1");
  }

  async #stop(): Promise<void> {
    stop();
    await this.#web.close();
    await this.peer.close();
  }

  /** Does the work within a request, which fails when the work does. */
  async request(work: () => unknown): Promise<RecordedRequest> {
    const path = `/${++this.#requests}`;
    this.#works.set(path, work);
    const { status, body } = await this.#web.call(path);
    assert.equal(status, 200, body);
    return await this.#recorded(path);
  }

  /** As many requests at a time as the web server's client has connections. */
  async requests(count: number, work: (tag: string) => unknown): Promise<Map<string, RecordedRequest>> {
    const tags = Array.from({ length: count }, (_, n) => tagOf(n));
    const recorded = await Promise.all(
      tags.map(async (tag) => [tag, await this.request(() => work(tag))] as const),
    );
    return new Map(recorded);
  }

  async #recorded(path: string): Promise<RecordedRequest> {
    await until(() => this.#entryOf(path) !== undefined, `the span of ${path} arrives`);
    const entry = this.#entryOf(path);
    assert.ok(entry !== undefined);
    const { spanId } = entry;
    return { entry, calls: this.peer.spans.filter((span) => span.parentId === spanId) };
  }

  /** Looks at each span once: many requests wait at the same time. */
  #entryOf(path: string): ReceivedSpan | undefined {
    const { spans } = this.peer;
    for (; this.#indexed < spans.length; this.#indexed++) {
      const span = spans[this.#indexed];
      if (span?.kind === 1) this.#entries.set(span.attributes["url.path"], span);
    }
    return this.#entries.get(path);
  }
}

/** What each call asked for, or its name; sorted, for those of a request that run at the same time. */
export function sortedTexts(calls: readonly ReceivedSpan[]): string[] {
  return calls.map(({ name, attributes }) => String(attributes["db.query.text"] ?? name)).sort();
}

/** Letters only, so that it may stand in a statement as a name. */
function tagOf(n: number): string {
  return `tag${n.toString(26).replaceAll(/./g, (digit) => String.fromCharCode(97 + Number.parseInt(digit, 26)))}`;
}

/** What fails, as the caller sees it. */
export async function failureOf(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: "this should have failed" });
}
