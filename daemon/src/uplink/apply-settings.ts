import type { UplinkApplied, UplinkSettings } from "@apm-daemon/protocol";
import type { WebSocket } from "ws";
import type { CollectorSettings } from "../settings/collector-settings.ts";

/** Takes settings of the collector and answers over the connection on which they came, if that is still there then. Never rejects. */
export async function applySettings(
  socket: WebSocket,
  message: UplinkSettings,
  settings: Pick<CollectorSettings, "take"> | undefined,
): Promise<void> {
  const revision = (await settings?.take(message)) ?? null;
  if (revision === null || socket.readyState !== socket.OPEN) return;
  const applied: UplinkApplied = { type: "applied", revision };
  socket.send(JSON.stringify(applied));
}
