import { request } from "node:http";
import { dirname } from "node:path";
import type { StatusReport } from "@apm-daemon/protocol";
import { CliError } from "../cli-error.ts";

const TIMEOUT_MS = 3_000;
const MAX_ANSWER_BYTES = 8_388_608;

/** The daemon's status. Throws as fetchDaemon() does. */
export async function fetchStatus(
  sockets: readonly string[],
  distrust?: (socket: string) => string | null,
): Promise<StatusReport> {
  return (await fetchDaemon(sockets, "/status", distrust)) as StatusReport;
}

/**
 * Asks the daemon behind the first socket that answers for a JSON page. `distrust` says why a socket must not be asked, or
 * null. Throws NOTHING_LISTENING or NO_ANSWER.
 */
export async function fetchDaemon(
  sockets: readonly string[],
  path: string,
  distrust: (socket: string) => string | null = () => null,
): Promise<unknown> {
  const passedOver: string[] = [];
  for (const socket of sockets) {
    const reason = distrust(socket);
    if (reason !== null) {
      passedOver.push(`; the folder ${dirname(socket)} is not trusted: ${reason}`);
      continue;
    }
    try {
      return JSON.parse(await getText(socket, path)) as unknown;
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code ?? "";
      if (code !== "ENOENT" && code !== "ECONNREFUSED" && code !== "ENOTDIR") {
        throw new CliError("NO_ANSWER", noAnswer(socket, code, cause as Error), { cause });
      }
    }
  }
  throw new CliError(
    "NOTHING_LISTENING",
    `no daemon listens at ${sockets.join(" or ")}; start one with "apm up" or "apm daemon", or name its folder with --state-dir${passedOver.join("")}`,
  );
}

function noAnswer(socket: string, code: string, cause: Error): string {
  if (code === "EACCES") return `this user must not talk to ${socket}; run as its owner or join its group`;
  return `the daemon at ${socket} gave no usable answer: ${cause.message}`;
}

/** Body of a GET over a Unix socket; rejects at any status but 200, after 3 s of silence, and over 8 MiB. */
function getText(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, timeout: TIMEOUT_MS }, (answer) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES)
          call.destroy(new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`));
        else chunks.push(chunk);
      });
      answer.on("error", reject);
      answer.on("end", () => {
        if (answer.statusCode === 200) resolve(Buffer.concat(chunks).toString());
        else reject(new Error(`status ${answer.statusCode} for ${path}`));
      });
    });
    call.on("timeout", () => call.destroy(new Error(`silence for ${TIMEOUT_MS / 1_000} s`)));
    call.on("error", reject);
    call.end();
  });
}
