/** Spans of queries and prepared statements made with mysql2 (callbacks, promises, pools), in the caller's context. */
import { wrapPoolCall, wrapWaiting } from "./database-call.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import { textOf, wrapMysqlQuery } from "./mysql-query.ts";

export function instrumentMysql2(parts: InstrumentationParts): void {
  const { libraries, patches, storage } = parts;
  const patchConnection = (exports: unknown): void => {
    const { prototype } = exports as { prototype: object };
    for (const name of ["query", "execute"])
      if (Object.hasOwn(prototype, name))
        patches.wrap(prototype, name, (original) => wrapMysqlQuery(original, "mysql2", "onResult", parts));
  };
  const patchPool = (exports: unknown): void => {
    const { prototype } = exports as { prototype: object };
    if (!Object.hasOwn(prototype, "getConnection")) return;
    for (const name of ["query", "execute"])
      if (Object.hasOwn(prototype, name))
        patches.wrap(prototype, name, (original) => wrapPoolCall(original, parts, "mysql", textOf));
    patches.wrap(prototype, "getConnection", (original) => wrapWaiting(original, storage));
  };
  // Releases before 3.11 have these classes one folder higher.
  for (const folder of ["mysql2/lib", "mysql2/lib/base"]) {
    libraries.onLoad(`${folder}/connection.js`, patchConnection);
    libraries.onLoad(`${folder}/pool.js`, patchPool);
  }
}
