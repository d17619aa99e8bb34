/** The same app, written for each framework, is asked the same in two majors, loaded as CommonJS and as ES modules. */
import assert from "node:assert/strict";
import { request as httpRequest, type Server } from "node:http";
import { after, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { start, stop } from "../index.ts";
import { DaemonPeer, type ReceivedSpan, until } from "./daemon-peer.ts";
import { WebServer } from "./web-server.ts";

type Load = (name: string) => unknown;
interface Loaders {
  readonly imported: Load;
  readonly required: Load;
}
export interface Framework {
  readonly app: string;
  readonly platform?: string;
  /** What a middleware that answers is called. */
  readonly guarded: string;
  /** Paths of this framework alone. */
  readonly more?: readonly (readonly [path: string, name: string, status: number, error?: string])[];
}

const MAJORS: readonly [which: string, place: string][] = [
  ["latest major", "../../test-apps/frameworks/load.mjs"],
  ["major before", "../../../previous-majors/load.mjs"],
];

const peer = new DaemonPeer({
  settings: { sql: "obfuscated", flushIntervalMs: 10, overheadBudgetRatio: 1 },
});

before(async () => {
  await peer.listen();
  // The app that is started decides which ES modules are looked into.
  process.argv[1] = fileURLToPath(new URL("../../test-apps/frameworks/load.mjs", import.meta.url));
  start({ socket: peer.path, log: false });
});

after(async () => {
  stop();
  await peer.close();
});

const isEntry = (span: ReceivedSpan): boolean => span.kind === 1;

async function entry(path: string): Promise<ReceivedSpan> {
  const ofPath = (span: ReceivedSpan): boolean => isEntry(span) && span.attributes["url.path"] === path;
  await until(() => peer.spans.some(ofPath), `the span of ${path} arrives`);
  return peer.spans.find(ofPath) as ReceivedSpan;
}

/** Registers the tests of one framework, once for each major and way of loading. */
export function checkFramework(framework: Framework): void {
  const { app, platform = "" } = framework;
  for (const [which, place] of MAJORS)
    for (const way of ["imported", "required"] as const)
      describe(`${app} ${platform} ${which} ${way}`, () => checkApp(framework, place, way));
}

function checkApp({ app, platform, guarded, more = [] }: Framework, place: string, way: keyof Loaders): void {
  let web: WebServer;

  before(async () => {
    const make = (await import(`../../test-apps/frameworks/${app}.mjs`)) as {
      default: (load: Load, platform: string | undefined) => Promise<Server>;
    };
    const loaders = (await import(place)) as Loaders;
    web = await new WebServer(await make.default(loaders[way], platform)).listen();
  });
  beforeEach(() => {
    peer.spans.length = 0;
  });
  after(() => web.close());

  test("names, statuses and errors", async () => {
    const cases = [
      ["/orgs/a/users/7", "GET /orgs/:org/users/:id", 200],
      ["/boom", "GET /boom", 500, "RangeError"],
      ["/later-boom", "GET /later-boom", 500, "RangeError"],
      ["/refused", "GET /refused", 403],
      ["/guarded", guarded, 401],
      ["/none", "GET (unmatched)", 404],
      ...more,
    ] as const;
    for (const [path, name, status, error] of cases) {
      assert.equal((await web.call(path)).status, status, path);
      const span = await entry(path);
      assert.equal(span.name, name);
      assert.equal(span.attributes["http.route"], name.includes("(") ? undefined : name.slice(4));
      assert.equal(span.attributes["http.response.status_code"], status);
      assert.deepEqual([span.hasError, span.attributes["error.type"]], [error !== undefined, error], path);
      const [event] = span.extra.events ?? [];
      assert.equal(event?.attributes["exception.message"], error && "too far");
      if (error !== undefined) assert.match(String(event?.attributes["exception.stacktrace"]), /work\.mjs/);
    }
  });

  test("200 concurrent requests never mix", async () => {
    const paths = Array.from({ length: 200 }, (_, i) => `/orgs/${i % 7}/users/${i}`);
    const answers = await Promise.all(paths.map((path) => web.call(path)));
    assert.deepEqual(
      answers.map(({ body }) => body),
      paths.map((path) => path.split("/").at(-1)),
    );
    await until(() => peer.named("leaf").length === 200, "the leaves arrive");
    await until(() => peer.spans.filter(isEntry).length === 200, "the entries arrive");
    const entries = new Map(peer.spans.filter(isEntry).map((span) => [span.spanId, span]));
    for (const leaf of peer.named("leaf"))
      assert.equal(entries.get(leaf.parentId)?.attributes["url.path"], leaf.attributes["path"]);
    const names = new Set([...entries.values()].map(({ name }) => name));
    assert.deepEqual([names, entries.size], [new Set(["GET /orgs/:org/users/:id"]), 200]);
  });

  test("a streamed answer belongs to its request to the end", async () => {
    assert.equal((await web.call("/stream")).body, "abc");
    const span = await entry("/stream");
    await until(() => peer.named("leaf").length === 3, "the leaves arrive");
    assert.deepEqual([span.name, span.hasError], ["GET /stream", false]);
    for (const leaf of peer.named("leaf")) assert.equal(leaf.parentId, span.spanId);
  });

  test("a client that goes away leaves a named request", async () => {
    const call = httpRequest({ host: "127.0.0.1", port: web.port, path: "/hang", agent: false });
    call.on("error", () => {});
    const asked = new Promise<void>((resolve) => web.server.once("request", () => resolve()));
    call.end();
    await asked;
    // The router runs in later turns; an answered request behind it shows that it has.
    await web.call("/refused");
    call.destroy();
    const span = await entry("/hang");
    assert.deepEqual([span.name, span.attributes["apm.aborted"]], ["GET /hang", true]);
    assert.equal("http.response.status_code" in span.attributes, false);
  });
}
