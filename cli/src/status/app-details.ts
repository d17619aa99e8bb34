import type { StatusApp, StatusInstance } from "@apm-daemon/protocol";
import { safeText } from "../terminal/safe-text.ts";

const MAX_NAMED = 3;
const CONTAINER_DIGITS = 12;

/** Where an app's processes come from, in one line; "" when none found out. */
export function deploymentText({ instances }: StatusApp): string {
  const named = (word: string, of: (instance: StatusInstance) => string | undefined): string[] => {
    const values = [...new Set(instances.flatMap((instance) => of(instance) ?? []))];
    if (values.length === 0) return [];
    const more = values.length > MAX_NAMED ? ` and ${values.length - MAX_NAMED} more` : "";
    return [`${word} ${values.slice(0, MAX_NAMED).map(safeText).join(", ")}${more}`];
  };
  return [
    ...named("version", ({ appVersion }) => appVersion),
    ...named("unit", ({ systemdUnit }) => systemdUnit),
    ...named("container", ({ containerId }) => containerId?.slice(0, CONTAINER_DIGITS)),
  ].join(" · ");
}
