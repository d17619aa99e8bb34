import type { LibraryReport, StatusApp } from "@apm-daemon/protocol";
import { CliError } from "../cli-error.ts";
import { bundlerOf, librariesOf } from "../status/app-details.ts";
import { shownCount } from "../terminal/quantities.ts";
import type { Examined } from "./examined.ts";
import { type Finding, warning, well } from "./finding.ts";

const WHAT = "apps";
const MAX_NAMED = 5;

/** The apps that are connected, and whether they were asked anything in the last minute. */
export function checkApps({ status }: Examined): Finding[] {
  if (status instanceof CliError) return [];
  const { apps } = status;
  if (apps.length === 0)
    return [warning(WHAT, "no app is connected", "start one with: apm run --name my-app node app.js")];
  const named = apps.slice(0, MAX_NAMED).map(({ app, requests, instances }) => {
    const processes = instances.length === 1 ? "" : `${instances.length} processes, `;
    return `${app} (${processes}${shownCount(requests)} requests in the last minute)`;
  });
  const more = apps.length > MAX_NAMED ? [`${apps.length - MAX_NAMED} more`] : [];
  return [well(WHAT, [...named, ...more].join(", ")), ...apps.flatMap(unrecorded)];
}

/** What an app's agents know and cannot record. */
function unrecorded(app: StatusApp): Finding[] {
  const libraries = librariesOf(app);
  const named = (state: LibraryReport["state"]): string =>
    libraries
      .filter((library) => library.state === state)
      .map(({ name, version }) => `${name} ${version}`.trim())
      .join(", ");
  const [failed, bundled] = [named("failed"), named("bundled")];
  const bundler = bundlerOf(app);
  const findings: Finding[] = [];
  if (failed !== "")
    findings.push(
      warning(
        WHAT,
        `${app.app}: the agent could not hook ${failed}`,
        "install a release that the agent's README names, and report it",
      ),
    );
  if (bundler !== null)
    findings.push(
      warning(
        WHAT,
        `${app.app} is bundled by ${bundler}: ${bundled === "" ? "libraries within the bundle" : bundled} cannot be recorded, HTTP is`,
        "keep them out of the bundle (esbuild: --packages=external, webpack and rollup: externals), or make spans with @opentelemetry/api",
      ),
    );
  return findings;
}
