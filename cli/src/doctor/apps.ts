import { CliError } from "../cli-error.ts";
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
  return [well(WHAT, [...named, ...more].join(", "))];
}
