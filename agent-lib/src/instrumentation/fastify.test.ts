import { checkFramework } from "../test-support/framework-checks.ts";

checkFramework({ app: "fastify", guarded: "GET /guarded" });
