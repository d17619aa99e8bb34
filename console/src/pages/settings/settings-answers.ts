import type { Completeness, Span } from "../../data/answers.ts";

/** Shapes of the calls that this page alone makes, as docs/api.md describes them. */
export interface AppSettings {
  apdexTMs?: number;
  slowActionMs?: number;
}

export interface GeneralSettings extends AppSettings {
  slowStatementMs?: number;
  sql?: string;
}

export interface SettingsAnswer {
  revision: string;
  all: GeneralSettings;
  apps: { app: string; settings: AppSettings }[];
  /** As configured; more kinds of data may come. */
  retention: Record<string, unknown>;
}

export interface LicenseKey {
  id: string;
  name: string;
  createdUnixMs: number;
  /** The last characters; older keys have none. */
  ending?: string;
}

export interface NewKey extends LicenseKey {
  key: string;
}

export interface Daemon {
  host: string;
  stream: string;
  daemonVersion: string;
  nodeVersion: string;
  address: string;
  key: string;
  connectedUnixMs: number;
  settings: "applied" | "pending" | "refused" | "too_old";
}

export interface FleetAnswer extends Span {
  daemons: Daemon[];
  agents: { app: string; agentVersion: string; runtime: string; processes: number; hosts: number }[];
}

export interface CompletenessAnswer extends Span {
  apps: { app: string; completeness: Completeness }[];
  more: number;
}
