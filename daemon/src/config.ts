import * as z from "zod";
import { isCronExpression } from "./schedule.ts";

/**
 * What the daemon can be told, as in `daemon.toml`. The schema below is the truth for defaults, bounds, `apm config`
 * and docs/configuration.md; this interface only names its result. A duration ends in `_ms`, a size in `_bytes`.
 */
export interface DaemonConfig {
  state_dir: string;
  run_dir: string;
  collector: string;
  license_key_file?: string | undefined;
  host_name?: string | undefined;
  agent_socket_mode: string;
  apdex_t_ms: number;
  seal_interval_ms: number;
  log: { level: "debug" | "info" | "warn" | "error" };
  journal: { segment_bytes: number; cap_bytes: number; fsync: "seal" | "always" };
  outbox: { cap_bytes: number };
  traces: {
    keep: "sampled" | "all";
    errors_per_action: number;
    slowest_per_action: number;
    repeats_per_action: number;
    random_per_action: number;
    slow_action_ms?: number | undefined;
  };
  limits: {
    connections: number;
    connections_per_uid: number;
    bytes_per_second_per_uid: number;
    journal_share_per_uid: number;
    actions_per_app: number;
    operations_per_app: number;
    open_traces: number;
    min_free_disk_bytes: number;
  };
  sampling: { resolution: number };
  schedule: { inventory: string; filesystems: string; packages: string; self_report: string };
  settings: {
    sql: "obfuscated" | "local" | "off" | "raw";
    overhead_budget: number;
    slow_statement_ms: number;
    from_collector: boolean;
  };
  apps: Record<string, { apdex_t_ms?: number | undefined; slow_action_ms?: number | undefined }>;
}

const MIB = 1_048_576;

const slowActionMs: z.ZodInt = z.int().min(1).max(600_000);
const apdexTMs: z.ZodInt = z.int().min(1).max(600_000);

function whole(min: number, max: number, standard: number, sentence: string): z.ZodDefault<z.ZodInt> {
  return z.int().min(min).max(max).default(standard).describe(sentence);
}

function cron(standard: string, sentence: string): z.ZodDefault<z.ZodString> {
  return z
    .string()
    .refine(isCronExpression, {
      error:
        'must be a cron expression of five fields (minute, hour, day of month, month, day of week), like "17 4 * * *"',
    })
    .default(standard)
    .describe(sentence);
}

/** Parses what file, environment and flags say; `state_dir` and `run_dir` have no default here because it depends on the user. */
export const DaemonConfigSchema: z.ZodType<DaemonConfig> = z.strictObject({
  state_dir: z.string().min(1).describe("Folder of the journal and the outbox."),
  run_dir: z
    .string()
    .min(1)
    .describe(
      "Folder of agent.sock and status.sock; below the state folder when that is given as --state-dir.",
    ),
  collector: z
    .url({ protocol: /^wss?$/, error: "must be the collector's address, like ws://127.0.0.1:8460" })
    // It is logged and shown in the status.
    .refine((url) => !/[@?#]/.test(url), {
      error:
        "must be HOST:PORT alone, without a name, password or query: the key belongs into license_key_file",
    })
    .default("ws://127.0.0.1:8460")
    .describe("Address of the collector, ws:// or wss://."),
  license_key_file: z
    .string()
    .min(1)
    .refine((file) => !/(^|\/)apm_[\w-]{43}$/.test(file), {
      error:
        "must name a file, and this is a license key itself: write it into a file of mode 0600, and revoke it if others saw it",
    })
    .optional()
    .describe("File with the license key, made by `apm key create` at the collector.")
    .meta({ examples: ["/etc/apm-daemon/license.key"] }),
  host_name: z
    .string()
    .min(1)
    .max(255)
    .refine((name) => name !== "." && name !== "..", {
      error: 'must not be "." or "..", which no address in the console can carry',
    })
    .optional()
    .describe("Name of this host in the console, unique among the collector's hosts; default: its host name.")
    .meta({ examples: ["web-1"] }),
  agent_socket_mode: z
    .string()
    .regex(/^0[0-7]{3}$/, { error: 'must be four octal digits, like "0660"' })
    .default("0660")
    .describe("File mode of agent.sock: who may send spans."),
  apdex_t_ms: apdexTMs
    .default(500)
    .describe("Apdex threshold T: requests up to T are satisfying, up to 4 T tolerable."),
  seal_interval_ms: z
    .int()
    .min(1_000)
    .max(60_000)
    .default(10_000)
    .describe("How often a batch is sealed and sent."),
  log: z
    .strictObject({
      level: z
        .enum(["debug", "info", "warn", "error"])
        .default("info")
        .describe("Least severe line that is logged."),
    })
    .prefault({})
    .describe("The daemon's own log, JSON lines on stdout."),
  journal: z
    .strictObject({
      segment_bytes: whole(2 * MIB, 1_024 * MIB, 8 * MIB, "Size of one segment file."),
      cap_bytes: whole(
        4 * MIB,
        1_048_576 * MIB,
        256 * MIB,
        "Most that the journal takes on disk; the oldest segment goes first.",
      ),
      fsync: z
        .enum(["seal", "always"])
        .default("seal")
        .describe("When spans are forced to the disk: at each seal, or before each acknowledgement."),
    })
    .refine((journal) => journal.cap_bytes >= 2 * journal.segment_bytes, {
      path: ["cap_bytes"],
      error: "must be at least twice journal.segment_bytes",
    })
    .prefault({})
    .describe("Spans as received, kept in a ring of segment files: crash safety and flight recorder."),
  outbox: z
    .strictObject({
      cap_bytes: whole(
        MIB,
        1_048_576 * MIB,
        512 * MIB,
        "Most that waiting batches take on disk; the oldest goes first.",
      ),
    })
    .prefault({})
    .describe("Batches that the collector has not acknowledged yet."),
  traces: z
    .strictObject({
      keep: z
        .enum(["sampled", "all"])
        .default("sampled")
        .describe("Whether to keep a sample of the traces or each; counters are exact in both cases."),
      errors_per_action: whole(0, 10_000, 10, "Failed requests kept per action and 10 s window."),
      slowest_per_action: whole(0, 10_000, 2, "Slowest requests kept per action and window."),
      repeats_per_action: whole(
        0,
        10_000,
        1,
        "Requests kept per action and window because they repeat a statement more than 10 times below one span (N+1).",
      ),
      random_per_action: whole(0, 10_000, 1, "Random requests kept per action and window."),
      slow_action_ms: slowActionMs
        .optional()
        .describe(
          "Requests that take that long are kept as slow, the 10 slowest per action and window; default: the slowest alone, however fast.",
        )
        .meta({ examples: [2_000] }),
    })
    .prefault({})
    .describe("Which requests are kept span by span."),
  limits: z
    .strictObject({
      connections: whole(1, 65_536, 4_096, "App processes connected at once."),
      connections_per_uid: whole(1, 65_536, 1_024, "App processes of one user connected at once."),
      bytes_per_second_per_uid: whole(
        65_536,
        1_024 * MIB,
        64 * MIB,
        "Speed at which one user's apps are read; beyond it they wait, nothing is dropped.",
      ),
      journal_share_per_uid: z
        .number()
        .min(0.05)
        .max(1)
        .default(0.5)
        .describe("Share of the journal that one user may fill while others are active, 0.05 to 1."),
      actions_per_app: whole(
        1,
        100_000,
        1_000,
        "Different actions of one app; the rest is counted as (other).",
      ),
      operations_per_app: whole(1, 100_000, 5_000, "Different operations of one app; the rest is (other)."),
      open_traces: whole(
        100,
        1_000_000,
        50_000,
        "Requests followed at once; beyond that the oldest is closed.",
      ),
      min_free_disk_bytes: whole(
        0,
        1_048_576 * MIB,
        512 * MIB,
        "Disk left to others, a twentieth of the file system at most; below it sealed segments go, then waiting batches.",
      ),
    })
    .prefault({})
    .describe("Bounds of what the daemon takes of the host."),
  sampling: z
    .strictObject({
      resolution: whole(
        1,
        60,
        1,
        "Seconds of one row that is sent to the collector; what is kept on the host stays by the second.",
      ),
    })
    .prefault({})
    .describe("The host's and the apps' numbers, sampled each second."),
  schedule: z
    .strictObject({
      inventory: cron("17 4 * * *", "When hardware and system are looked at anew."),
      filesystems: cron("* * * * *", "When sizes of filesystems are read."),
      packages: cron("23 4 * * *", "When versions of packages are read."),
      self_report: cron(
        "0 0 * * *",
        "When the daemon logs what it cost and did since the report before, in one line.",
      ),
    })
    .prefault({})
    .describe("Cron expressions of five fields, in the host's time zone."),
  settings: z
    .strictObject({
      sql: z
        .enum(["obfuscated", "local", "off", "raw"])
        .default("obfuscated")
        .describe(
          "How apps record SQL: values replaced by ?; the same, but sent off this host only when somebody asks for a statement in the console; not at all; or as it is.",
        ),
      overhead_budget: z
        .number()
        .min(0)
        .max(1)
        .default(0.03)
        .describe(
          "Most of an app's processor time that its agent may take, as a ratio; above it the agent records less, and counts what it left out. 0: no limit.",
        ),
      slow_statement_ms: whole(
        1,
        600_000,
        500,
        "Calls to databases that take that long are listed one by one, with the place that they are called from.",
      ),
      from_collector: z
        .boolean()
        .default(true)
        .describe(
          "Whether settings made in the console go before this host's own; how SQL is recorded they can only make stricter.",
        ),
    })
    .prefault({})
    .describe("What the daemon tells the agents."),
  apps: z
    .record(
      z.string().min(1).max(255),
      z.strictObject({
        apdex_t_ms: apdexTMs
          .optional()
          .describe("Apdex threshold T of this app.")
          .meta({ examples: [2_000] }),
        slow_action_ms: slowActionMs
          .optional()
          .describe("Instead of traces.slow_action_ms for this app.")
          .meta({ examples: [5_000] }),
      }),
    )
    .default({})
    .describe("Settings of single apps, by app name."),
});
