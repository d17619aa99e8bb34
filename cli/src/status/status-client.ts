import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { dirname } from "node:path";
import type { StatusReport } from "@apm-daemon/protocol";
import { CliError } from "../cli-error.ts";

const STATUS_WITHIN_MS = 3_000;
const MAX_ANSWER_BYTES = 67_108_864;

export interface DaemonAnswer {
  status: number;
  text: string;
}

/** Says why a socket must not be asked, or null. */
export type Distrust = (socket: string) => Promise<string | null>;

/** The daemon's status. Throws as fetchDaemon() does. */
export async function fetchStatus(sockets: readonly string[], distrust?: Distrust): Promise<StatusReport> {
  return (await fetchDaemon(sockets, "/status", distrust)) as StatusReport;
}

/** A JSON page of the daemon behind the first socket that answers. Throws NOTHING_LISTENING or NO_ANSWER. */
export async function fetchDaemon(
  sockets: readonly string[],
  path: string,
  distrust?: Distrust,
): Promise<unknown> {
  return await askDaemon(sockets, distrust, { path, withinMs: STATUS_WITHIN_MS }, ({ status, text }) => {
    if (status !== 200) throw new Error(`status ${status} for ${path}`);
    return JSON.parse(text) as unknown;
  });
}

/**
 * GETs a path from the daemon behind the first socket that answers, and reads what it says. Throws NOTHING_LISTENING, or
 * NO_ANSWER, also when `read` throws.
 */
export async function askDaemon<T>(
  sockets: readonly string[],
  distrust: Distrust = () => Promise.resolve(null),
  question: { path: string; withinMs: number },
  read: (answer: DaemonAnswer) => T,
): Promise<T> {
  const passedOver: string[] = [];
  for (const socket of sockets) {
    const reason = await distrust(socket);
    if (reason !== null) {
      passedOver.push(`; the folder ${dirname(socket)} is not trusted: ${reason}`);
      continue;
    }
    try {
      return read(await get(socket, question));
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

/** A GET over a Unix socket; rejects after so much silence, and over 64 MiB. */
function get(
  socketPath: string,
  { path, withinMs }: { path: string; withinMs: number },
): Promise<DaemonAnswer> {
  return new Promise((resolve, reject) => {
    // One question: no agent, which would first find out whether its address is one of a network. The time is the connection's, for
    // it is the agent who would see to that.
    const createConnection = (): Socket => connect({ path: socketPath, timeout: withinMs });
    const call = request({ createConnection, path, timeout: withinMs }, (answer) => {
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
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
      });
    });
    call.on("timeout", () => call.destroy(new Error(`silence for ${withinMs / 1_000} s`)));
    call.on("error", reject);
    call.end();
  });
}
