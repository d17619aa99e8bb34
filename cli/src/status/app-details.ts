import type { LibraryReport, StatusApp, StatusInstance } from "@apm-daemon/protocol";
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

/** Libraries whose calls an app's agents record; "" when they have not said so. */
export function recordedText(app: StatusApp): string {
  const names = librariesOf(app)
    .filter(({ state }) => state === "recorded")
    .map(({ name, version }) => safeText(`${name} ${version}`.trim()));
  return names.length === 0 ? "" : `records ${names.join(", ")}`;
}

/** What an app's processes found, each library and state once. */
export function librariesOf({ instances }: StatusApp): LibraryReport[] {
  const found = instances.flatMap(({ libraries }) => libraries?.found ?? []);
  return [...new Map(found.map((library) => [JSON.stringify(library), library])).values()];
}

/** What bundled an app, null when nothing did. */
export function bundlerOf({ instances }: StatusApp): string | null {
  return (
    instances.map(({ libraries }) => libraries?.bundler ?? null).find((bundler) => bundler !== null) ?? null
  );
}
