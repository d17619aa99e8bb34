export { type JournalRecount, recountJournal } from "./audit/journal-recount.ts";
export { offlineLedger } from "./audit/offline-ledger.ts";
export { readOutboxRows, type WaitingLedger } from "./audit/outbox-rows.ts";
export { type DaemonConfig, DaemonConfigSchema } from "./config.ts";
export { type DaemonOptions, type RunningDaemon, startDaemon } from "./daemon.ts";
export { DaemonError, type DaemonErrorCode } from "./errors.ts";
export type { PassedSockets } from "./intake/passed-socket.ts";
export type { ServiceOptions } from "./watchdog/service-manager.ts";
