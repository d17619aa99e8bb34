/** Data stores shown under cache/NoSQL, by the names that OpenTelemetry gives them (`db.system.name`). */
const CACHE_SYSTEMS: ReadonlySet<string> = new Set([
  "aws.dynamodb",
  "cassandra",
  "couchbase",
  "couchdb",
  "dynamodb",
  "elasticsearch",
  "memcached",
  "mongodb",
  "redis",
  "valkey",
]);

/** Whether calls to a data store count as database time or as cache/NoSQL time. */
export function databaseCategory(system: string): "database" | "cache" {
  return CACHE_SYSTEMS.has(system) ? "cache" : "database";
}
