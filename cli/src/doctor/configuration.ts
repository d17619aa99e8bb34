import { CliError } from "../cli-error.ts";
import { ConfigError } from "../config/load-config.ts";
import { configFile } from "../config/program-config.ts";
import type { Examined } from "./examined.ts";
import { type Finding, failure, RUN_AS_ROOT, unseen, warning, well } from "./finding.ts";

const WHAT = "configuration";

/** The configuration file: readable, and all in it valid. */
export function checkConfiguration({ loaded, context }: Examined): Finding[] {
  if (loaded instanceof ConfigError) {
    return loaded.problems.map(({ place, key, message }) =>
      failure(
        WHAT,
        [place, key, message].filter((part) => part !== "").join(": "),
        "change it there; the checks below go by the defaults",
      ),
    );
  }
  if (loaded instanceof CliError) return [unreadable(loaded, context)];
  const { file, warnings } = loaded;
  const { path } = configFile("daemon", undefined, context);
  const found = file === null ? `all at its default; there is no ${path}` : `${file} is valid`;
  return [well(WHAT, found), ...warnings.map((sentence) => warning(WHAT, sentence, "unset it"))];
}

function unreadable(error: CliError, context: Examined["context"]): Finding {
  const isForbidden = (error.cause as NodeJS.ErrnoException | undefined)?.code === "EACCES";
  if (isForbidden && !context.isRoot) return unseen(WHAT, error.message, RUN_AS_ROOT);
  return failure(WHAT, error.message, "apm config init daemon");
}
