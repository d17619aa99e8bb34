import { checkFramework } from "../test-support/framework-checks.ts";

for (const platform of ["express", "fastify"])
  checkFramework({ app: "nest", platform, guarded: "GET /guarded" });
