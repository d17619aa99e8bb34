import { signal } from "@preact/signals";
import { isLoginNeeded } from "./login-state.ts";

/** Why a call gave no data: `code` is the collector's own, or UNREACHABLE, or NOT_JSON. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  /** What came with it, null when nothing did. */
  readonly body: unknown;

  constructor(code: string, message: string, status: number, options?: ErrorOptions & { body?: unknown }) {
    super(message, options);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
    this.body = options?.body ?? null;
  }
}

/** Calls on their way; the refresh waits for them, so that a slow collector is not asked twice. */
export const callsInFlight = signal(0);

/** One GET of the collector's API. Throws ApiError, also when aborted. */
export function getJson<T>(url: string, abort: AbortSignal): Promise<T> {
  return callJson(url, { method: "GET", signal: abort });
}

/** One POST without a body. Throws ApiError, also when aborted. */
export function postJson<T>(url: string, abort: AbortSignal): Promise<T> {
  return callJson(url, { method: "POST", signal: abort });
}

/** What a call is made with; headers by their names. */
type CallInit = Omit<RequestInit, "headers"> & { headers?: Record<string, string> };

/** One call; where the collector wants a log-in first, its page takes over. Throws ApiError. */
export async function callJson<T>(url: string, call: CallInit): Promise<T> {
  callsInFlight.value++;
  try {
    const response = await reach(url, call);
    const body = await parseBody(response);
    if (response.ok) return body as T;
    const error = refusal(response.status, body);
    if (error.code === "LOGIN_REQUIRED") isLoginNeeded.value = true;
    throw error;
  } finally {
    callsInFlight.value--;
  }
}

async function reach(url: string, call: CallInit): Promise<Response> {
  try {
    return await fetch(url, { ...call, headers: { accept: "application/json", ...call.headers } });
  } catch (cause) {
    throw new ApiError("UNREACHABLE", `no answer to ${url}`, 0, { cause });
  }
}

async function parseBody(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    throw new ApiError(
      "NOT_JSON",
      `${response.url} answered ${response.status} without JSON`,
      response.status,
      { cause },
    );
  }
}

function refusal(status: number, body: unknown): ApiError {
  const error = (body as { error?: { code?: unknown; message?: unknown } } | null)?.error;
  const code = typeof error?.code === "string" ? error.code : `HTTP_${status}`;
  const message = typeof error?.message === "string" ? error.message : `the collector answered ${status}`;
  return new ApiError(code, message, status, { body });
}
