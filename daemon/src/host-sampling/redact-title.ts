/** Names of values that no title may show; the same as those of spans' attributes in the agent. */
const SECRET =
  "[\\w.-]*(?:password|passwd|pwd|token|secret|session|auth|card|cookie|api[._-]?key|credential)[\\w.-]*";
/** "--db-password=x", "API_KEY=x", "authorization: Bearer x"; a quoted value to its end. */
const ASSIGNED = new RegExp(`(${SECRET}\\s*[=:]\\s*)(?:(?:bearer|basic)\\s+)?("[^"]*"?|'[^']*'?|\\S+)`, "gi");
/** "--password x". */
const FOLLOWED = new RegExp(`((?:^|\\s)-{1,2}${SECRET}\\s+)(?!-)\\S+`, "gi");
/** "-p x" and "-px" are a password to many programs and a port to others, who can do without it. */
const SHORT_OPTION = /((?:^|\s)-p\s*)(?!-)\S+/g;
/** "mysql://user:secret@host/db?x=y": what says where it is stays. */
const USER_INFO = /(\b[a-z][a-z\d+.-]*:\/\/)[^\s/@]*@/gi;
const QUERY = /(\b[a-z][a-z\d+.-]*:\/\/[^\s?#]*)[?#]\S*/gi;
const HIDDEN = "***";

/** The title of a process without what may be a secret: some programs write their whole command line into it. */
export function redactTitle(title: string): string {
  return title
    .replaceAll(USER_INFO, `$1${HIDDEN}@`)
    .replaceAll(QUERY, `$1?${HIDDEN}`)
    .replaceAll(ASSIGNED, `$1${HIDDEN}`)
    .replaceAll(FOLLOWED, `$1${HIDDEN}`)
    .replaceAll(SHORT_OPTION, `$1${HIDDEN}`);
}
