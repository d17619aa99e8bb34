import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type Batch, decodeBatch, MAX_BATCH_BODY_BYTES, ProtocolError } from "@apm-daemon/protocol";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { safeText } from "../terminal/safe-text.ts";
import { batchText } from "./batch-text.ts";

export interface ShowOptions {
  traces?: boolean;
  json?: boolean;
}

/** Prints what is in a batch file. Throws BATCH_UNREADABLE. */
export async function showBatch(context: CliContext, file: string, options: ShowOptions): Promise<void> {
  const bytes = await readBatchFile(resolve(context.cwd, file));
  context.stdout.write(`${pageOf(bytes, file, options)}\n`);
}

function pageOf(bytes: Buffer, file: string, options: ShowOptions): string {
  try {
    const batch: Batch = decodeBatch(bytes);
    if (options.json) return JSON.stringify(batch.header, null, 2);
    return batchText(batch, bytes.length, options.traces ?? false);
  } catch (cause) {
    throw new CliError("BATCH_UNREADABLE", `${safeText(file)} is not a readable batch: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

function reasonOf(cause: unknown): string {
  if (cause instanceof ProtocolError) return cause.message;
  // A header that a checksum vouches for can still lack fields: rows are only checked by whoever stores them.
  if (cause instanceof TypeError || cause instanceof RangeError) return "its header is not that of a batch";
  throw cause;
}

async function readBatchFile(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BATCH_BODY_BYTES) throw new Error(`${size} bytes are more than a batch can have`);
    return await readFile(path);
  } catch (cause) {
    throw new CliError("BATCH_UNREADABLE", `${safeText(path)} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}
