import { open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "../outbox/atomic-file.ts";

const CHUNK_BYTES = 1_048_576;

/**
 * Copies the first `bytes` of a segment to a new file, forces that to the disk and puts it in the old one's place: offsets, and so
 * all positions, stay. For a segment whose sync failed: the kernel reports such an error once and then takes the lost pages for
 * clean, so syncing it again would answer "done" without anything written; what was written is still in the page cache.
 * Rejects with the file system's error; then the old file is as it was.
 */
export async function rewriteSegment(path: string, bytes: number): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await copyDurably(path, temporary, bytes);
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(path));
}

async function copyDurably(from: string, to: string, bytes: number): Promise<void> {
  const source = await open(from, "r");
  try {
    const target = await open(to, "w", 0o600);
    try {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytes));
      for (let at = 0; at < bytes; ) {
        const { bytesRead } = await source.read(chunk, 0, Math.min(chunk.length, bytes - at), at);
        if (bytesRead === 0) break;
        await target.writeFile(chunk.subarray(0, bytesRead));
        at += bytesRead;
      }
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
