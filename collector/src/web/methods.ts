const READING: readonly string[] = ["GET", "HEAD"];

/** Calls that do something, and by which methods; everything else is only ever read. */
const DOING: readonly (readonly [path: RegExp, methods: readonly string[]])[] = [
  [/^\/api\/v1\/traces\/[^/]+\/fetch$/, ["POST"]],
  [/^\/api\/v1\/statements\/[^/]+\/text$/, ["POST"]],
  [/^\/api\/v1\/(login|logout)$/, ["POST"]],
  [/^\/api\/v1\/keys$/, ["GET", "HEAD", "POST"]],
  [/^\/api\/v1\/keys\/[^/]+$/, ["DELETE"]],
  [/^\/api\/v1\/settings\/all$/, ["PUT"]],
  [/^\/api\/v1\/settings\/apps\/[^/]+$/, ["PUT", "DELETE"]],
];

/** Methods that a path is asked with. */
export function methodsOf(path: string): readonly string[] {
  return DOING.find(([pattern]) => pattern.test(path))?.[1] ?? READING;
}

/** Whether asking changes nothing here: reading, and having the hosts look for a trace. */
export function isReading(method: string, path: string): boolean {
  return READING.includes(method) || (method === "POST" && path.endsWith("/fetch"));
}
