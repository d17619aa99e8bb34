export { type DaemonConfig, DaemonConfigSchema } from "./config.ts";
export { type DaemonOptions, type RunningDaemon, startDaemon } from "./daemon.ts";
export { DaemonError, type DaemonErrorCode } from "./errors.ts";
