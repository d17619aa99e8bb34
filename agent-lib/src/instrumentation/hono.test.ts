import { checkFramework } from "../test-support/framework-checks.ts";

checkFramework({
  app: "hono",
  guarded: "GET /guarded/*",
  more: [
    ["/own/boom", "GET /own/boom", 502, "RangeError"],
    ["/mounted/things/7", "GET /mounted/things/:thing", 200],
    ["/mounted/none", "GET /mounted/*", 404],
  ],
});
