import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { z } from "zod";

/** What was sent cannot be taken. `message` names the field and what it should be. */
export class BadBody extends Error {
  readonly status: ContentfulStatusCode;
  readonly code: string;

  constructor(status: ContentfulStatusCode, code: string, message: string) {
    super(message);
    this.name = "BadBody";
    this.status = status;
    this.code = code;
  }
}

const MAX_BODY_BYTES = 65_536;

/** The body as the schema has it; forms of other sites' pages cannot send this content type. Throws BadBody. */
export async function readBody<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  const type = c.req.header("content-type") ?? "";
  if (!/^application\/json *(;|$)/i.test(type))
    throw new BadBody(415, "NOT_JSON", "the body must be JSON: send it with content-type: application/json");
  // The HTTP server itself reads no more than was announced.
  const length = c.req.header("content-length");
  if (length === undefined)
    throw new BadBody(411, "LENGTH_REQUIRED", "the body's length must be said in content-length");
  if (Number(length) > MAX_BODY_BYTES)
    throw new BadBody(413, "BODY_TOO_LARGE", `a body has at most ${MAX_BODY_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(await c.req.text());
  } catch {
    throw new BadBody(400, "BAD_BODY", "the body is not JSON");
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.length ? `"${issue.path.join(".").slice(0, 200)}" in the body` : "the body";
  throw new BadBody(400, "BAD_BODY", `${where} is wrong: ${(issue?.message ?? "").slice(0, 500)}`);
}
