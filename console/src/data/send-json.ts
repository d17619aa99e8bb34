import { callJson } from "./get-json.ts";

/** One call that changes something, with a JSON body. Throws ApiError, whose message says what the collector did not like. */
export function sendJson<T>(method: "POST" | "PUT" | "DELETE", url: string, body?: object): Promise<T> {
  return callJson(url, {
    method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    }),
  });
}
