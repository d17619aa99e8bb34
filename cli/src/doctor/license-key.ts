import { userName } from "./account-names.ts";
import type { Examined } from "./examined.ts";
import { type Finding, failure, RUN_AS_ROOT, unseen, warning, well } from "./finding.ts";
import { type KeyReading, readKeyFile } from "./key-file.ts";

const WHAT = "license key";
const ACCEPTED = 101;
const UNAUTHORIZED = 401;

/** The license key: in a file that only its owner reads, and taken by the collector. The key itself is never shown. */
export function checkLicenseKey({ collector, licenseKeyFile }: Examined): Finding[] {
  const key = collector?.key ?? readKeyFile(licenseKeyFile);
  const upgrade = collector?.upgrade ?? null;
  const { file, stat, refusal } = key;
  const make = `apm key create NAME > ${file ?? "FILE"}, at the collector`;
  if (file === null && collector === null)
    return [unseen(WHAT, "this user cannot learn its file", RUN_AS_ROOT)];
  if (file === null) return [failure(WHAT, "no file is configured", `${make}; license_key_file = "FILE"`)];
  if (refusal !== null) return [unreadable(key, refusal, make)];
  if (key.key === null) return [failure(WHAT, `${file} does not hold a key alone`, make)];
  const mode = (stat?.mode ?? 0) & 0o777;
  const findings: Finding[] =
    (mode & 0o077) === 0
      ? []
      : [
          failure(
            WHAT,
            `${file} has mode ${mode.toString(8).padStart(4, "0")}: others may read it`,
            `chmod 600 ${file}`,
          ),
        ];
  if (upgrade === null) return [...findings, unseen(WHAT, `${file} is readable; no collector to try it on`)];
  if (upgrade instanceof Error)
    return [
      ...findings,
      warning(WHAT, `${file}: no answer to it (${upgrade.message})`, "see the collector's log"),
    ];
  if (upgrade.status === ACCEPTED) return [...findings, well(WHAT, `${file}, accepted by the collector`)];
  const said = upgrade.body.trim();
  if (upgrade.status === UNAUTHORIZED)
    return [...findings, failure(WHAT, `${file}: the collector does not know this key`, make)];
  return [
    ...findings,
    failure(WHAT, `the collector refuses uplinks with HTTP status ${upgrade.status}: ${said}`, "see its log"),
  ];
}

function unreadable({ file, stat }: KeyReading, code: string, make: string): Finding {
  if (code === "ENOENT") return failure(WHAT, `${file} is not there`, make);
  if (code !== "EACCES") return failure(WHAT, `${file} cannot be read (${code})`, make);
  const owner = stat === null ? "" : `, it is ${userName(stat.uid)}'s`;
  return unseen(WHAT, `${file} must not be read by this user${owner}`, RUN_AS_ROOT);
}
