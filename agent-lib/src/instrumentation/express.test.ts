import { checkFramework } from "../test-support/framework-checks.ts";

checkFramework({ app: "express", guarded: "GET /guarded" });
