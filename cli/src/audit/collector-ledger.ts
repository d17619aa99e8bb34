import type { LedgerTotals } from "@apm-daemon/protocol";
import * as z from "zod";
import { CliError } from "../cli-error.ts";

/** What a collector has of a stream; see docs/api.md, `GET /api/v1/ledger`. */
export interface StoredLedger {
  committed: { first: number; last: number }[];
  opening: { number: number; apps: LedgerTotals[] };
  closing: { number: number; apps: LedgerTotals[] };
  stored: LedgerTotals[];
}

const TIMEOUT_MS = 15_000;
const totals = z.array(
  z.object({
    app: z.string(),
    created: z.number(),
    received: z.number(),
    dropped: z.record(z.string(), z.number()),
  }),
);
const point = z.object({ number: z.number(), apps: totals });
const StoredLedgerSchema: z.ZodType<StoredLedger> = z.object({
  committed: z.array(z.object({ first: z.number(), last: z.number() })),
  opening: point,
  closing: point,
  stored: totals,
});

/** Null when the collector has nothing of the stream. Throws NOTHING_LISTENING or NO_ANSWER. */
export async function fetchStoredLedger(
  collector: string,
  parameters: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<StoredLedger | null> {
  const url = new URL("/api/v1/ledger", collector.replace(/^ws/, "http"));
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  let answer: Response;
  try {
    answer = await fetch(url, {
      headers: { ...headers },
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (cause) {
    throw new CliError(
      "NOTHING_LISTENING",
      `the collector at ${url.origin} cannot be asked (${reasonOf(cause)}): start it, or name another with --collector`,
      { cause },
    );
  }
  if (answer.status === 404) return null;
  if (answer.status === 401 || answer.status === 403)
    throw new CliError(
      "NO_ANSWER",
      `the collector at ${url.origin} wants to know who asks (status ${answer.status}): make a token there with "apm token create NAME" and name its file with --token-file or APM_TOKEN_FILE`,
    );
  const body: unknown = await answer.json().catch(() => null);
  const parsed = StoredLedgerSchema.safeParse(body);
  if (!answer.ok || !parsed.success)
    throw new CliError(
      "NO_ANSWER",
      `the collector at ${url.origin} gave no usable answer (status ${answer.status}): use apm and collector of one release`,
    );
  return parsed.data;
}

function reasonOf(cause: unknown): string {
  const { cause: inner, message } = cause as Error & { cause?: NodeJS.ErrnoException };
  return inner?.code ?? message;
}
