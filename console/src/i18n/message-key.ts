import type { actions } from "./en/actions.ts";
import type { app } from "./en/app.ts";
import type { calls } from "./en/calls.ts";
import type { chartTable } from "./en/chart-table.ts";
import type { common } from "./en/common.ts";
import type { ends } from "./en/ends.ts";
import type { errors } from "./en/errors.ts";
import type { host } from "./en/host.ts";
import type { keys } from "./en/keys.ts";
import type { latency } from "./en/latency.ts";
import type { ledger } from "./en/ledger.ts";
import type { live } from "./en/live.ts";
import type { login } from "./en/login.ts";
import type { map } from "./en/map.ts";
import type { settings } from "./en/settings.ts";
import type { trace } from "./en/trace.ts";
import type { traces } from "./en/traces.ts";
import type { verdict } from "./en/verdict.ts";

/** Keys of all texts. A file that uses one imports the file of its area, which brings the texts with the code. */
export type MessageKey =
  | keyof typeof common
  | keyof typeof app
  | keyof typeof ends
  | keyof typeof actions
  | keyof typeof calls
  | keyof typeof errors
  | keyof typeof map
  | keyof typeof traces
  | keyof typeof verdict
  | keyof typeof trace
  | keyof typeof latency
  | keyof typeof host
  | keyof typeof keys
  | keyof typeof ledger
  | keyof typeof chartTable
  | keyof typeof live
  | keyof typeof settings
  | keyof typeof login;
