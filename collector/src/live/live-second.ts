import { HOST_METRICS, type LiveRequests, MAX_LIVE_APPS, MAX_NAME_CHARS } from "@apm-daemon/protocol";
import { z } from "zod";

export interface LiveSecond {
  tsSec: number;
  values: Record<string, number | null>;
  apps: LiveRequests[];
}

const KNOWN: ReadonlySet<string> = new Set(HOST_METRICS.map(({ name }) => name));
const whole = z.int().min(0);

/** A SECOND message, hostile until it passed here. */
const SecondSchema: z.ZodType<LiveSecond> = z.object({
  tsSec: whole.max(4_294_967_295),
  values: z
    .record(z.string().max(64), z.number().nullable())
    // Newer daemons may know more metrics than this build.
    .transform((values) => Object.fromEntries(Object.entries(values).filter(([name]) => KNOWN.has(name)))),
  apps: z
    .array(
      z.object({
        app: z
          .string()
          .min(1)
          .max(4 * MAX_NAME_CHARS),
        requests: whole,
        errors: whole,
        sumUs: z.number().min(0),
      }),
    )
    .max(MAX_LIVE_APPS),
});

/** The second as it was sent; null when it is none. */
export function parseSecond(message: object): LiveSecond | null {
  return SecondSchema.safeParse(message).data ?? null;
}
