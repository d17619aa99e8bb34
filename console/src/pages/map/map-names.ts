import { link } from "../../app/location.ts";
import type { MapEdge } from "../../data/answers.ts";
import { t } from "../../i18n/translate.ts";
import { count, duration, percent, text } from "../../ui/number-text.ts";
import type { DrawnNode } from "./map-groups.ts";
import "../../i18n/en/map.ts";

/** What a node is called. */
export function nodeName({ kind, app, system, target, members }: DrawnNode): string {
  if (members > 1) return t(`map.group.${kind}`, { count: members });
  return kind === "app" ? app : target || system;
}

/** The page that says more of a node; for what is no app, that of the app that calls it most. */
export function nodeLink(
  node: DrawnNode,
  callers: readonly { app: string; totalTimeMs: number }[],
): string | null {
  if (node.members > 1) return null;
  if (node.kind === "app") return link({ page: "app", app: node.app });
  const [first] = [...callers].sort((a, b) => b.totalTimeMs - a.totalTimeMs);
  return first === undefined || first.app === "" ? null : callLink(first.app, node);
}

/** The page of an app's calls to such a node. */
export function callLink(app: string, { kind, system, target }: DrawnNode): string {
  if (kind === "database") return link({ page: "databases", app });
  if (kind === "cache") return link({ page: "caches", app });
  return link({ page: "external", app }, kind === "app" ? {} : { sel: JSON.stringify([system, target]) });
}

/** `120/min · 4.5 ms`, and the share of failures where there are some. */
export function figuresText(figures: Pick<MapEdge, "callsPerMinute" | "avgMs" | "errorRate">): string {
  const { callsPerMinute, avgMs, errorRate } = figures;
  const parts = [t("map.rate", { count: text(count(callsPerMinute)) }), text(duration(avgMs))];
  if (errorRate !== null && errorRate > 0) parts.push(t("map.errors", { share: text(percent(errorRate)) }));
  return parts.join(" · ");
}

/** From so many failures on a line is marked. */
export function isFailing({ errorRate }: Pick<MapEdge, "errorRate">): boolean {
  return errorRate !== null && errorRate >= 0.01;
}
