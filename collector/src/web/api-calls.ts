import type { ParameterSets } from "./parameters.ts";

/** Why a call may be refused, beside what may happen to every call. */
export interface Refusal {
  status: number;
  code: string;
  /** "" where docs/api.md says it once for all calls. */
  sentence: string;
}

export interface ApiCall {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  /** Sets of parameters that its query takes. */
  parameters: readonly (keyof ParameterSets)[];
  refusals: readonly Refusal[];
}

const BAD_PARAMETER: Refusal = { status: 400, code: "BAD_PARAMETER", sentence: "" };
const noSuch = (what: string): Refusal => ({ status: 404, code: "NOT_FOUND", sentence: `no such ${what}` });
const NO_APP = noSuch("app");
const NO_HOST = noSuch("host");
const BAD_BODY: readonly Refusal[] = [
  { status: 400, code: "BAD_BODY", sentence: "" },
  { status: 411, code: "LENGTH_REQUIRED", sentence: "" },
  { status: 413, code: "BODY_TOO_LARGE", sentence: "" },
  { status: 415, code: "NOT_JSON", sentence: "" },
];
const CROSS_SITE: Refusal = { status: 403, code: "CROSS_SITE", sentence: "" };
const TOO_MANY_APPS: Refusal = {
  status: 409,
  code: "SETTINGS_TOO_MANY",
  sentence: "1000 apps have settings already",
};

type Sets = readonly (keyof ParameterSets)[];

function get(path: string, parameters: Sets, ...refusals: Refusal[]): ApiCall {
  const all = parameters.length === 0 ? refusals : [BAD_PARAMETER, ...refusals];
  return { method: "GET", path: `/api/v1/${path}`, parameters, refusals: all };
}

function doing(
  method: ApiCall["method"],
  path: string,
  refusals: readonly Refusal[],
  parameters: Sets = [],
): ApiCall {
  return { method, path: `/api/v1/${path}`, parameters, refusals: [...refusals, CROSS_SITE] };
}

/** Every call below /api/v1 with what it takes: docs/api.md is written from it, and a test compares it with the routes. */
export const API_CALLS: readonly ApiCall[] = [
  get("session", []),
  doing("POST", "login", [
    ...BAD_BODY,
    { status: 401, code: "WRONG_PASSWORD", sentence: "it is another one" },
    { status: 409, code: "NO_PASSWORD", sentence: "none is set" },
    {
      status: 429,
      code: "TOO_MANY_LOGINS",
      sentence: "too many were tried; `retry-after` says when to go on",
    },
  ]),
  doing("POST", "logout", []),
  get("hosts", ["range"]),
  get("hosts/{host}/series", ["range", "hostSeries"], NO_HOST),
  get("hosts/{host}/ledger", ["range"], NO_HOST),
  get("hosts/{host}/live", ["live"]),
  get("hosts/{host}/snapshot", ["range"], noSuch("host, or none of it in the range")),
  get("hosts/{host}/processes", ["range"], NO_HOST),
  get("hosts/{host}/lane", ["range", "hostLane"], NO_HOST),
  get("apps", ["range", "kind"]),
  get("apps/{app}/summary", ["range", "kind"], NO_APP),
  get("apps/{app}/series", ["range", "appSeries"], NO_APP),
  get("apps/{app}/ledger", ["range"], NO_APP),
  get("apps/{app}/actions", ["range", "actions"], NO_APP),
  get("apps/{app}/rank", ["range", "rank"], NO_APP),
  get("apps/{app}/heatmap", ["range", "heatmap"], NO_APP),
  get("apps/{app}/selection", ["range", "selection"], NO_APP),
  get("apps/{app}/verdicts", ["range"], NO_APP),
  get("verdicts", ["range"]),
  get("ends", ["range", "ends"]),
  get("apps/{app}/status-codes", ["range", "statusCodes"], NO_APP),
  get("apps/{app}/operations", ["range", "operations"], NO_APP),
  get("apps/{app}/operations/series", ["range", "operationSeries"], NO_APP),
  get("apps/{app}/operations/samples", ["range", "operationSamples"], NO_APP),
  doing(
    "POST",
    "statements/{statement}/text",
    [
      BAD_PARAMETER,
      {
        status: 503,
        code: "TOO_MANY_FETCHES",
        sentence: "ten questions are asked; `retry-after` says when to try again",
      },
    ],
    ["fetch"],
  ),
  get("apps/{app}/slow-statements", ["range", "slowStatements"], NO_APP),
  get("apps/{app}/errors", ["range"], NO_APP),
  get("apps/{app}/errors/series", ["range", "errorSeries"], NO_APP),
  get("apps/{app}/errors/groups/{group}", ["range"], noSuch("app, or no error of the group in the range")),
  get("apps/{app}/counters", ["range", "counters"], NO_APP),
  get("apps/{app}/events", ["range", "events"], NO_APP),
  get("apps/{app}/traces", ["range", "traces"], NO_APP),
  {
    ...get("traces/{traceId}", []),
    refusals: [BAD_PARAMETER, noSuch("trace: no host kept it")],
  },
  doing(
    "POST",
    "traces/{traceId}/fetch",
    [
      BAD_PARAMETER,
      noSuch("trace on any host; `hosts` beside `error` says what each answered"),
      {
        status: 503,
        code: "TOO_MANY_FETCHES",
        sentence: "ten are fetched; `retry-after` says when to try again",
      },
    ],
    ["fetch"],
  ),
  get("map", ["range"]),
  get("ledger", ["range", "ledger"], noSuch("stream")),
  get("server", []),
  get("settings", []),
  doing("PUT", "settings/all", BAD_BODY),
  doing("PUT", "settings/apps/{app}", [BAD_PARAMETER, ...BAD_BODY, TOO_MANY_APPS]),
  doing("DELETE", "settings/apps/{app}", []),
  get("keys", []),
  doing("POST", "keys", [
    ...BAD_BODY,
    { status: 400, code: "KEY_NAME_INVALID", sentence: "a key cannot have that name" },
    { status: 409, code: "KEY_NAME_TAKEN", sentence: "another key has it" },
  ]),
  doing("DELETE", "keys/{id}", [{ status: 404, code: "KEY_UNKNOWN", sentence: "no such key" }]),
  get("fleet", ["range"]),
  get("completeness", ["range"]),
];
