import type { StatusReport, StatusUser } from "@apm-daemon/protocol";
import type { UserNames } from "../host-sampling/user-names.ts";
import type { AgentListener } from "../intake/agent-listener.ts";
import type { InstanceRegistry } from "../intake/instance-registry.ts";
import type { UserUsage } from "../intake/intake-quotas.ts";

const USERS_SHOWN = 5;

type IntakeUsage = Required<
  Pick<StatusReport["intake"], "origin" | "refusedBy" | "throttled" | "users" | "falsePids">
>;

/** Who uses the intake how much, and whether that is proven. */
export function intakeUsage(
  { quotas, proves }: Pick<AgentListener, "quotas" | "proves">,
  instances: Pick<InstanceRegistry, "connected">,
  names: UserNames,
): IntakeUsage {
  const users = quotas.users();
  return {
    origin: proves ? "proven" : "claimed",
    refusedBy: quotas.refusals.byReason(),
    throttled: {
      users: users.filter(({ isThrottled }) => isThrottled).length,
      ms: Math.round(users.reduce((sum, { throttledMs }) => sum + throttledMs, 0)),
    },
    users: users.slice(0, USERS_SHOWN).map((user) => shownUser(user, names)),
    falsePids: instances.connected().filter(({ isClaimFalse }) => isClaimFalse).length,
  };
}

/** A sentence for each user who is read slower than it writes. */
export function throttleProblem({ quotas }: Pick<AgentListener, "quotas">, names: UserNames): string[] {
  return quotas
    .users()
    .filter(({ isThrottled }) => isThrottled)
    .slice(0, USERS_SHOWN)
    .map((user) => {
      const who =
        user.uid === null ? "apps of unproven users send" : `user ${shownUser(user, names).name} sends`;
      return `${who} more than its share, and has to wait: raise limits.bytes_per_second_per_uid or journal.cap_bytes, or look at what it sends`;
    });
}

function shownUser(user: UserUsage, names: UserNames): StatusUser {
  const { uid, bytesPerSecond, throttledMs } = user;
  return {
    ...user,
    name: uid === null ? "" : names.nameOf(uid, performance.now()),
    bytesPerSecond: Math.round(bytesPerSecond),
    throttledMs: Math.round(throttledMs),
  };
}
