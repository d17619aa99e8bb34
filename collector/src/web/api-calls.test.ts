import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Hono } from "hono";
import type { Access } from "../access/access.ts";
import { RunningCollector } from "../testing/running-collector.ts";
import { type ApiOptions, api } from "./api.ts";
import { API_CALLS, type ApiCall } from "./api-calls.ts";
import { loginRoutes } from "./login-routes.ts";
import { parameterRows } from "./parameter-rows.ts";
import { type ParameterSets, SCHEMAS } from "./parameters.ts";
import { type SettingsRoutesOptions, settingsRoutes } from "./settings-routes.ts";

/** No parameter of any kind may be that. */
const BAD = "x".repeat(1_025);
/** What some calls cannot do without. */
const REQUIRED = new Map(
  Object.entries({
    action: "GET /",
    durationMs: "1",
    category: "database",
    stream: "5b3490d6-3127-4010-bd7c-9968d7c2571a",
    selectedFrom: "0",
    selectedTo: "10",
  }),
);
/** Sets that are read off the path. */
const OF_PATHS: readonly string[] = ["trace", "statement", "errorGroup"];

function routesOf(routes: Hono): string[] {
  return routes.routes.map(
    ({ method, path }) => `${method} /api/v1${path.replaceAll(/:(\w+)/g, (_, name: string) => `{${name}}`)}`,
  );
}

test("the table of calls has each route, and no other", () => {
  const routes = [
    // Nothing of what they are given is used before a call comes.
    ...routesOf(api({} as ApiOptions)),
    ...routesOf(settingsRoutes({} as SettingsRoutesOptions)),
    ...routesOf(loginRoutes({} as Access)),
  ];
  assert.deepEqual(API_CALLS.map(({ method, path }) => `${method} ${path}`).sort(), routes.sort());
});

test("each parameter says what it may be, and what it is", () => {
  for (const set of Object.keys(SCHEMAS) as (keyof ParameterSets)[]) {
    for (const { name, expected, sentence } of parameterRows(set)) {
      assert.notEqual(expected, "", `${set}.${name} has no bounds`);
      if (!REQUIRED.has(name) && !OF_PATHS.includes(set)) assert.notEqual(sentence, "", `${set}.${name}`);
    }
  }
});

describe("each call takes the parameters of the table", () => {
  let collector: RunningCollector;
  before(async () => {
    collector = await RunningCollector.start();
  });
  after(() => collector.end());

  const all = [
    ...new Set(
      (Object.keys(SCHEMAS) as (keyof ParameterSets)[])
        .filter((set) => !OF_PATHS.includes(set))
        .flatMap((set) => parameterRows(set).map(({ name }) => name)),
    ),
  ];
  const ask = async ({ method, path }: ApiCall, query: Map<string, string>): Promise<Response> => {
    const filled = path
      .replace("{traceId}", "0".repeat(32))
      .replace("{statement}", "0".repeat(16))
      .replaceAll(/\{\w+\}/g, "none");
    const search = new URLSearchParams([...query]);
    return await fetch(`${collector.url}${filled}?${search.toString()}`, { method });
  };

  for (const call of API_CALLS.filter(
    ({ parameters, method }) => parameters.length > 0 || method === "GET",
  )) {
    test(`${call.method} ${call.path}`, async () => {
      const taken = call.parameters.flatMap((set) => parameterRows(set).map(({ name }) => name));
      for (const name of taken) {
        const answer = await ask(call, new Map([...REQUIRED, [name, BAD]]));
        const body = (await answer.json()) as { error?: { code: string; message: string } };
        assert.equal(answer.status, 400, name);
        assert.equal(body.error?.code, "BAD_PARAMETER");
        assert.ok(body.error.message.includes(`"${name}"`), body.error.message);
      }
      const others = all.filter((name) => !taken.includes(name)).map((name) => [name, BAD] as const);
      const answer = await ask(call, new Map([...REQUIRED, ...others]));
      await answer.arrayBuffer();
      assert.notEqual(answer.status, 400, "it reads a parameter that the table lacks");
    });
  }
});
