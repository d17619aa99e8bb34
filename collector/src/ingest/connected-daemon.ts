import type { UplinkHello } from "@apm-daemon/protocol";

/**
 * How it is with the console's settings at a daemon: in force, on their way, not taken by its host, or not known to a release that is too old.
 */
export type SettingsState = "applied" | "pending" | "refused" | "too_old";

/** A daemon that is connected now. */
export interface ConnectedDaemon {
  host: string;
  stream: string;
  daemonVersion: string;
  nodeVersion: string;
  /** Of its end of the connection. */
  address: string;
  /** Name of the license key that it came with. */
  key: string;
  connectedUnixMs: number;
  settings: SettingsState;
}

/** `appliedRevision` is undefined before the daemon has answered. */
export function settingsStateOf(
  { settingsRevision }: Pick<UplinkHello, "settingsRevision">,
  appliedRevision: string | undefined,
  revision: string,
): SettingsState {
  if (settingsRevision === undefined) return "too_old";
  if (settingsRevision === null) return "refused";
  return (appliedRevision ?? settingsRevision) === revision ? "applied" : "pending";
}
