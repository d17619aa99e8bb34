import { join } from "node:path";
import type { HostWatch } from "../host-watch.ts";
import { AgentListener } from "../intake/agent-listener.ts";
import { connectionRoom } from "../intake/connection-room.ts";
import { IntakeQuotas } from "../intake/intake-quotas.ts";
import { openPeerCredentials } from "../intake/peer-credentials.ts";
import { journalProblem, reasonToHold } from "../intake/reason-to-hold.ts";
import { RepeatedEvents } from "../intake/repeated-events.ts";
import { WriteGate } from "../intake/write-gate.ts";
import type { Sealer } from "../outbox/sealer.ts";
import type { DaemonContext } from "./context.ts";
import type { Counting } from "./counting.ts";
import type { Storage } from "./storage.ts";

/** Where apps connect, and what holds them back. */
export interface Agents {
  gate: WriteGate;
  listener: AgentListener;
  agentSocket: string;
}

export async function createAgents(
  { config, clock, log, path, settings, sockets }: DaemonContext,
  { reserve }: Storage,
  { instances, intake, blackBox }: Counting,
  sealer: Sealer,
  { processes }: HostWatch,
): Promise<Agents> {
  const journalDir = path("journal");
  const gate = new WriteGate({
    hold: () => reasonToHold(sealer, reserve, journalDir),
    describe: (error) => journalProblem(journalDir, error),
    log,
  });
  const room = connectionRoom(config.limits.connections);
  for (const warning of room.warnings) log.warn(warning);
  const peers = await openPeerCredentials();
  if (typeof peers === "string") log.warn(`uid and pid of apps are not proven but as they claim: ${peers}`);
  const quotas = new IntakeQuotas(
    {
      connectionsPerUid: config.limits.connections_per_uid,
      bytesPerSecondPerUid: config.limits.bytes_per_second_per_uid,
      journalShare: config.limits.journal_share_per_uid,
      ringBytes: config.journal.cap_bytes,
      sealIntervalMs: config.seal_interval_ms,
    },
    clock.monoMs,
  );
  const events = new RepeatedEvents(log, clock.monoMs);
  const agentSocket = join(config.run_dir, "agent.sock");
  const listener = new AgentListener({
    path: agentSocket,
    passedFd: sockets.agent,
    mode: Number.parseInt(config.agent_socket_mode, 8),
    maxConnections: room.connections,
    readPeer: typeof peers === "string" ? null : peers,
    quotas,
    events,
    registry: instances,
    intake,
    gate,
    settings: settings.agent,
    log,
    clock,
    onOpen: (opened) => {
      const { app, instance, pid, uid, origin, startUnixMs } = opened;
      events.note("info", "connected", { app, pid, uid }, "an app connected");
      processes.add({ key: instance, pid, startUnixMs, isProven: origin === "proven", uid });
      blackBox.opened(opened);
    },
    onEnd: (left, end) => {
      if (left.connections > 0) return;
      blackBox.ended(left, end);
      processes.remove(left.instance);
    },
  });
  settings.onChange(() => listener.tell(settings.agent));
  return { gate, listener, agentSocket };
}
