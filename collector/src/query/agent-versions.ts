import type { Store } from "../store/store.ts";
import { answeredRange, type QueryRange } from "./time-range.ts";

export interface AgentVersionsAnswer {
  from: number;
  to: number;
  /** By app, agent and runtime. */
  agents: { app: string; agentVersion: string; runtime: string; processes: number; hosts: number }[];
}

/** Which agents' releases reported in the range, and on what. */
export async function agentVersions(store: Store, range: QueryRange): Promise<AgentVersionsAnswer> {
  return { ...answeredRange(range), agents: await store.hosts.agents(range) };
}
