import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Examined } from "./examined.ts";
import { type Finding, failure, warning, well } from "./finding.ts";

const WHAT = "libraries";

interface Library {
  readonly name: string;
  /** Major releases whose calls the agent records; none where it does not know the library. */
  readonly majors: readonly number[];
  /** What to do where it does not. */
  readonly instead?: string;
}

const OWN_SPANS = "record its calls with @opentelemetry/api";

/** Libraries that matter to a performance monitor, recorded or not. HTTP and fetch are Node's own. */
const LIBRARIES: readonly Library[] = [
  { name: "express", majors: [4, 5] },
  { name: "fastify", majors: [4, 5] },
  { name: "pg", majors: [8] },
  { name: "mysql2", majors: [2, 3] },
  { name: "mysql", majors: [2] },
  { name: "redis", majors: [4, 5, 6] },
  { name: "ioredis", majors: [5, 6] },
  { name: "memcached", majors: [2] },
  { name: "memjs", majors: [1] },
  { name: "mongodb", majors: [6, 7] },
  { name: "undici", majors: [5, 6, 7, 8] },
  { name: "koa", majors: [], instead: "its requests are recorded as HTTP, without route names" },
  { name: "@hapi/hapi", majors: [], instead: "its requests are recorded as HTTP, without route names" },
  { name: "better-sqlite3", majors: [], instead: OWN_SPANS },
  { name: "@aws-sdk/client-dynamodb", majors: [], instead: "its calls are recorded as HTTP" },
];

/** Which libraries of the app in a folder are recorded. Nothing for a folder without an app that nobody named. */
export function checkAppLibraries({ appDir, appDirIsNamed, context }: Examined): Finding[] {
  const dir = resolve(context.cwd, appDir);
  if (readPackage(dir) === null) {
    if (!appDirIsNamed) return [];
    return [failure(WHAT, `${dir} has no package.json`, "name the folder of an app with --app-dir")];
  }
  const installed = LIBRARIES.flatMap((library) => {
    const version = installedVersion(dir, library.name);
    return version === null ? [] : [{ ...library, version }];
  });
  const isRecorded = ({ majors, version }: (typeof installed)[number]): boolean =>
    majors.includes(Number.parseInt(version, 10));
  const recorded = installed.filter(isRecorded).map(({ name, version }) => `${name} ${version}`);
  return [
    well(WHAT, `${["HTTP", "fetch", ...recorded].join(", ")} are recorded`),
    ...installed
      .filter((library) => !isRecorded(library))
      .map(({ name, version, majors, instead }) =>
        warning(WHAT, `${name} ${version} is not recorded`, instead ?? `use release ${majors.join(" or ")}`),
      ),
  ];
}

/** As Node finds it from the app's folder: in node_modules there or above. */
function installedVersion(dir: string, name: string): string | null {
  for (let folder = dir; ; folder = dirname(folder)) {
    const version = readPackage(join(folder, "node_modules", name))?.version;
    if (typeof version === "string") return version;
    if (dirname(folder) === folder) return null;
  }
}

function readPackage(dir: string): { version?: unknown } | null {
  try {
    return JSON.parse(readFileSync(join(dir, "package.json"), "utf8")) as { version?: unknown };
  } catch {
    return null;
  }
}
