import assert from "node:assert/strict";
import { test } from "node:test";
import { PAGES, parseRoute, type Route, routePath } from "./routes.ts";

const HOSTILE = 'GET /a?b=c#d&e/%2F/../<img src=x onerror="alert(1)">/用户';

test("every page's path leads back to that page, whatever the names contain", () => {
  const routes: Exclude<Route, { page: "unknown" }>[] = [
    { page: "home" },
    { page: "apps" },
    { page: "app", app: HOSTILE },
    { page: "actions", app: HOSTILE },
    { page: "action", app: "shop", action: HOSTILE },
    { page: "databases", app: HOSTILE },
    { page: "caches", app: HOSTILE },
    { page: "external", app: HOSTILE },
    { page: "errors", app: HOSTILE },
    { page: "traces", app: HOSTILE },
    { page: "map" },
    { page: "trace", traceId: "0af7651916cd43dd8448eb211c80319c" },
    { page: "hosts" },
    { page: "settings" },
    { page: "host", host: HOSTILE },
  ];
  assert.deepEqual(PAGES.map(({ page }) => page).sort(), routes.map(({ page }) => page).sort());
  for (const route of [...routes, ...PAGES]) {
    const { pathname } = new URL(routePath(route), "http://console.test");
    assert.deepEqual(parseRoute(pathname), route);
  }
});

test("paths that name no page are unknown", () => {
  for (const path of [
    "/nowhere",
    "/apps/shop/other",
    "/apps/a/actions/b/c",
    "/traces",
    "/map/a",
    "/apps/a/errors/b",
    "/hosts/a/b",
    "/settings/a",
    "/apps/%E0%A4%A",
  ]) {
    assert.deepEqual(parseRoute(path), { page: "unknown" }, path);
  }
});

test("a trailing slash changes nothing", () => {
  assert.deepEqual(parseRoute("/apps/shop/"), { page: "app", app: "shop" });
});
