/** Spans of queries made with mysql 2 (callbacks, events, streams, pools), in the caller's context. */
import { wrapWaiting } from "./database-call.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import { wrapMysqlQuery } from "./mysql-query.ts";

export function instrumentMysql(parts: InstrumentationParts): void {
  const { libraries, patches, storage } = parts;
  libraries.onLoad("mysql/lib/Connection.js", (exports) =>
    patches.wrap((exports as { prototype: object }).prototype, "query", (original) =>
      wrapMysqlQuery(original, "mysql", "_callback", parts),
    ),
  );
  libraries.onLoad("mysql/lib/Pool.js", (exports) =>
    patches.wrap((exports as { prototype: object }).prototype, "getConnection", (original) =>
      wrapWaiting(original, storage),
    ),
  );
}
