import { checkFramework } from "../test-support/framework-checks.ts";

checkFramework({
  app: "koa",
  guarded: "GET (unmatched)",
  more: [["/told", "GET /told", 503, "RangeError"]],
});
