import type { HttpAnswer } from "./collector-answers.ts";
import { connectionReason } from "./connection-reason.ts";
import type { Examined } from "./examined.ts";
import { type Finding, failure, RUN_AS_ROOT, unseen, warning, well } from "./finding.ts";

const WHAT = "collector";

interface Health {
  status?: unknown;
  version?: unknown;
  reason?: unknown;
}

/** The collector: reachable, a collector at all, and healthy. */
export function checkCollector({ collector }: Examined): Finding[] {
  if (collector === null)
    return [unseen(WHAT, "this user cannot learn which one the daemon reports to", RUN_AS_ROOT)];
  const { health, url } = collector;
  if (health instanceof Error) {
    const { found, remedy } = connectionReason(health);
    return [failure(WHAT, `${url}: ${found}`, remedy)];
  }
  const { status, version, reason } = parsed(health);
  if (health.status === 421) return [well(WHAT, `${url} answers, but not to this host name`)];
  if (typeof version !== "string")
    return [
      failure(
        WHAT,
        `${url} answers with HTTP status ${health.status}, not as a collector`,
        "correct the address: collector = …",
      ),
    ];
  if (status !== "ok") return [failure(WHAT, `${url} is not healthy: ${String(reason)}`, "see its log")];
  const found = well(WHAT, `${url}, apm-collector ${version}, healthy`);
  return isExposed(url)
    ? [
        found,
        warning(WHAT, "the license key travels there unencrypted", "use wss:// and a TLS proxy in front"),
      ]
    : [found];
}

/** Version that the collector names; null when it does not. */
export function collectorVersion({ collector }: Examined): string | null {
  if (collector === null || collector.health instanceof Error) return null;
  const { version } = parsed(collector.health);
  return typeof version === "string" ? version : null;
}

function parsed(answer: HttpAnswer): Health {
  try {
    return (JSON.parse(answer.body) ?? {}) as Health;
  } catch {
    return {};
  }
}

function isExposed(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "ws:" && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}
