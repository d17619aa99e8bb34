import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { methodsOf } from "./methods.ts";
import { type WebAppOptions, webApp } from "./web-app.ts";

const API_PAGE = new URL("../../../docs/api.md", import.meta.url);

/** "GET /api/v1/apps/{app}/summary" of each route below /api. */
function registered(): string[] {
  // Nothing is asked: only what is registered is looked at.
  const app = webApp({ consoleDir: "/nowhere", settingsRoutes: {} } as WebAppOptions);
  return app.routes
    .filter(({ method, path }) => method !== "ALL" && path.startsWith("/api/"))
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
}

test("docs/api.md describes every route and no other; the suites that attack the API read it", () => {
  const headings = fs.readFileSync(API_PAGE, "utf8").matchAll(/^### `([A-Z]+ \/api\/[^\s?`]+)/gm);
  const described = [...headings].map(([, call = ""]) => call);
  assert.deepEqual([...new Set(described)].sort(), [...new Set(registered())].sort());
  assert.equal(new Set(described).size, described.length, "none is described twice");
});

test("every route is asked by the method that it is registered with", () => {
  for (const route of registered()) {
    const [method = "", path = ""] = route.split(" ");
    assert.ok(methodsOf(path).includes(method), route);
  }
});
