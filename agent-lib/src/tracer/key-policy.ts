/**
 * What becomes of an attribute by its key: old semantic-convention names get their new ones, secrets are redacted,
 * URLs lose user info and query, statements are obfuscated. Decided once per key and kept.
 */
export type Treatment = "plain" | "redact" | "url" | "urls" | "path" | "statement" | "drop";

export interface KeyPolicy {
  /** The key to record under. */
  readonly key: string;
  readonly treatment: Treatment;
}

export const REDACTED = "[redacted]";

/** Keys that may carry secrets, in any case, anywhere in the key. */
const SECRET_KEY = /password|passwd|pwd|token|secret|session|auth|card|cookie|api[._-]?key|credential/i;

const RENAMED: Readonly<Record<string, string>> = {
  "http.method": "http.request.method",
  "http.status_code": "http.response.status_code",
  "http.url": "url.full",
  "http.target": "url.path",
  "http.scheme": "url.scheme",
  "http.user_agent": "user_agent.original",
  "http.client_ip": "client.address",
  "net.peer.name": "server.address",
  "net.peer.port": "server.port",
  "db.system": "db.system.name",
  "db.statement": "db.query.text",
  "db.name": "db.namespace",
  "db.operation": "db.operation.name",
  "db.sql.table": "db.collection.name",
};

const TREATMENTS: Readonly<Record<string, Treatment>> = {
  "url.full": "url",
  "url.path": "path",
  "url.query": "drop",
  "db.query.text": "statement",
  "db.connection_string": "url",
  "exception.message": "urls",
  "http.request.header.referer": "url",
  "http.request.header.referrer": "url",
  "http.response.header.location": "url",
};

/** Keys of one process; made-up keys beyond this are decided each time. */
const MAX_REMEMBERED_KEYS = 4_096;
const MAX_KEY_CHARS = 255;

export class KeyPolicies {
  readonly #policies = new Map<string, KeyPolicy>();

  of(key: string): KeyPolicy {
    const known = this.#policies.get(key);
    if (known !== undefined) return known;
    const policy = decide(key);
    if (this.#policies.size < MAX_REMEMBERED_KEYS) this.#policies.set(key, policy);
    return policy;
  }
}

function decide(rawKey: string): KeyPolicy {
  const renamed = Object.hasOwn(RENAMED, rawKey) ? (RENAMED[rawKey] as string) : rawKey;
  const key = renamed.slice(0, MAX_KEY_CHARS);
  if (Object.hasOwn(TREATMENTS, key)) return { key, treatment: TREATMENTS[key] as Treatment };
  // Bind values of statements are what obfuscation removes from the text.
  if (/^db\.(?:query|operation|statement)\.(?:parameter|binding)/.test(key))
    return { key, treatment: "redact" };
  return { key, treatment: SECRET_KEY.test(key) ? "redact" : "plain" };
}
