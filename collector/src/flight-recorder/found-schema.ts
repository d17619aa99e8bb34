import type { FoundPart, UplinkFound } from "@apm-daemon/protocol";
import * as z from "zod";
import { FoundSummarySchema } from "../ingest/header-schema.ts";

/** base64 of 1 MiB: a SPANS payload has no more. */
const MAX_FRAME_CHARS = 1_398_104;
const MAX_PARTS = 500;

const part: z.ZodType<FoundPart> = z.object({
  summary: FoundSummarySchema,
  // What is not base64 in it is passed over; whether the rest is a frame is found out by decoding it.
  frame: z.string().max(MAX_FRAME_CHARS),
});

/** A FOUND message, hostile until it passed here; parts are judged one by one, so that a bad one costs itself only. */
export const FoundSchema: z.ZodType<Omit<UplinkFound, "parts" | "gap"> & { parts: unknown[]; gap: string }> =
  z.object({
    type: z.literal("found"),
    id: z.int(),
    parts: z.array(z.unknown()).max(MAX_PARTS),
    hasMore: z.boolean(),
    oldestUnixMs: z.number().min(0).max(4_294_967_295_000).nullable(),
    // Newer daemons may know more reasons than this build.
    gap: z.string().regex(/^[a-z_]{0,32}$/),
  });

/** A part as it was sent; null when it is none. */
export function parsePart(sent: unknown): FoundPart | null {
  return part.safeParse(sent).data ?? null;
}
