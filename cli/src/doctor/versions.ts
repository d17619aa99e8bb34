import { CliError } from "../cli-error.ts";
import { collectorVersion } from "./collector.ts";
import type { Examined } from "./examined.ts";
import { type Finding, failure, warning, well } from "./finding.ts";

const OLDEST_NODE = [20, 19] as const;

/** Node, and whether all parts are of one release. */
export function checkVersions(examined: Examined): Finding[] {
  return [node(process.versions.node), release(examined)];
}

function node(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  if (isOld)
    return failure("Node.js", `${version} is too old`, `install Node.js ${OLDEST_NODE.join(".")} or later`);
  return well("Node.js", version);
}

function release(examined: Examined): Finding {
  const { context, status } = examined;
  const agents =
    status instanceof CliError
      ? []
      : status.apps.flatMap(({ app, instances }) =>
          instances.map(({ agentVersion }): [string, string | null] => [
            `the agent in ${app}`,
            agentVersion ?? null,
          ]),
        );
  const others: [string, string | null][] = [
    ["the daemon", status instanceof CliError ? null : status.version],
    ["the collector", collectorVersion(examined)],
    ...agents,
  ];
  const different = new Set(
    others
      .filter(([, version]) => version !== null && version !== context.version)
      .map(([part, version]) => `${part} is ${version}`),
  );
  const known = others.filter(([, version]) => version !== null).map(([part]) => part.replace(/^the /, ""));
  if (different.size > 0)
    return warning(
      "release",
      `this is ${context.version}, but ${[...different].join(", ")}`,
      "install one release everywhere; restart what is older",
    );
  return well(
    "release",
    `${context.version}: ${["this command", ...new Set(known.map((part) => part.replace(/ in .*/, "s")))].join(", ")}`,
  );
}
