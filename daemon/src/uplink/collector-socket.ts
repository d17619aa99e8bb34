import type { IncomingMessage } from "node:http";
import { MAX_UPLINK_MESSAGE_BYTES, UPLINK_SUBPROTOCOL } from "@apm-daemon/protocol";
import { WebSocket } from "ws";
import { retryAfterMs } from "./reconnect-wait.ts";

const CONNECT_WITHIN_MS = 10_000;
const CLOSE_MESSAGE_TOO_BIG = 1009;
/** "Come back later", by a collector or a proxy before it. */
const BUSY_STATUSES: readonly number[] = [429, 502, 503, 504];

/** Why there is no connection (any more). */
export interface ConnectionFailure {
  /** "refused": trying again does not heal it. */
  state: "waiting" | "refused";
  /** A sentence without its full stop. */
  reason: string;
  /** How long the peer asks to be left alone. */
  retryAfterMs: number;
  /** The peer takes shorter messages only. */
  isMessageTooBig: boolean;
}

export interface CollectorSocketOptions {
  url: string;
  key: string | null;
  nowUnixMs: () => number;
  onOpen: (socket: WebSocket) => void;
  onMessage: (socket: WebSocket, data: Buffer, isBinary: boolean) => void;
  onPing: () => void;
  onPong: (data: Buffer) => void;
  /** Called once, whether it was open or not. */
  onClose: (failure: ConnectionFailure) => void;
}

/** A WebSocket to the collector's /uplink that says in words why it ended. */
export function openSocket(options: CollectorSocketOptions): WebSocket {
  const { url, key } = options;
  const socket = new WebSocket(`${url.replace(/\/+$/, "")}/uplink`, UPLINK_SUBPROTOCOL, {
    headers: key === null ? {} : { authorization: `Bearer ${key}` },
    perMessageDeflate: false,
    maxPayload: MAX_UPLINK_MESSAGE_BYTES,
    handshakeTimeout: CONNECT_WITHIN_MS,
  });
  let failure: ConnectionFailure | null = null;
  socket.on("open", () => options.onOpen(socket));
  socket.on("message", (data, isBinary) => options.onMessage(socket, data as Buffer, isBinary));
  socket.on("ping", options.onPing);
  socket.on("pong", options.onPong);
  socket.on("unexpected-response", (_request, response) => {
    failure = refusedBy(response, url, options.nowUnixMs());
    response.resume();
    socket.terminate();
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    failure ??= waiting(`cannot reach the collector at ${url}: ${error.code ?? error.message}`);
  });
  socket.on("close", (code, said) => options.onClose(failure ?? closedWith(code, said.toString("utf8"))));
  return socket;
}

function waiting(reason: string): ConnectionFailure {
  return { state: "waiting", reason, retryAfterMs: 0, isMessageTooBig: false };
}

function closedWith(code: number, said: string): ConnectionFailure {
  const why = said === "" ? "" : `: ${said}`;
  return {
    ...waiting(`the collector closed the connection${why}`),
    isMessageTooBig: code === CLOSE_MESSAGE_TOO_BIG,
  };
}

function refusedBy(
  { statusCode = 0, headers }: IncomingMessage,
  url: string,
  nowUnixMs: number,
): ConnectionFailure {
  const isBusy = BUSY_STATUSES.includes(statusCode);
  return {
    state: isBusy ? "waiting" : "refused",
    reason: isBusy
      ? `the collector at ${url} takes no connection for now (HTTP status ${statusCode}): see its log`
      : refusalSentence(statusCode, url),
    retryAfterMs: retryAfterMs(headers["retry-after"], nowUnixMs),
    isMessageTooBig: false,
  };
}

function refusalSentence(status: number, url: string): string {
  if (status === 401)
    return `the collector at ${url} refuses the license key: make one there with "apm key create NAME" and name its file as license_key_file`;
  return `the collector at ${url} refuses the connection with HTTP status ${status}: check that the address is a collector's`;
}
