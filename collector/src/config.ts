import * as z from "zod";

const LogSchema = z.strictObject({
  level: z
    .enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"])
    .default("info")
    .describe("Least severe log lines that are written."),
});

const StoreSchema = z.strictObject({
  memory_limit_mb: z
    .int()
    .min(0)
    .max(1_048_576)
    .refine((value) => value === 0 || value >= 64, "must be 0 or at least 64")
    .default(0)
    .describe(
      "Memory that DuckDB may use, in MB; the process needs about 250 MB more. 0: an eighth of the machine's, or a third of what its cgroup may have if that is less; 256 to 1024.",
    ),
  threads: z.int().min(1).max(64).default(2).describe("Threads that DuckDB may use for one query."),
  min_free_disk_mb: z
    .int()
    .min(0)
    .max(1_048_576)
    .default(1_024)
    .describe("Batches are refused for a while when less disk space than this is free, in MB."),
  min_free_disk_ratio: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.05)
    .describe(
      "Batches are refused for a while when a smaller share of the disk than this is free, 0 to 0.5.",
    ),
});

const days = (max: number, standard: number, sentence: string): z.ZodDefault<z.ZodInt> =>
  z.int().min(1).max(max).default(standard).describe(sentence);

const RetentionSchema = z.strictObject({
  days: days(
    60,
    2,
    "Days that rows are kept as they arrive, by 10 s and of hosts by the second, counted from the UTC day of their arrival; none of the others is less.",
  ),
  minutes_days: days(366, 30, "Days that sums by the minute are kept."),
  hours_days: days(3_660, 400, "Days that sums by the hour and by the day are kept, in files of a month."),
  traces_days: days(366, 3, "Days that all traces are kept that daemons sent."),
  sampled_traces_days: days(
    366,
    30,
    "Days that slow and failed traces are kept, and a tenth of the others, in files of a week.",
  ),
  records_days: days(
    366,
    30,
    "Days that errors, statements, ends of processes, hosts and the ledger are kept, in files of a week.",
  ),
});

const LimitsSchema = z.strictObject({
  uplinks: z.int().min(1).max(100_000).default(1_000).describe("Daemons that may be connected at once."),
  pending_batches: z
    .int()
    .min(1)
    .max(10_000)
    .default(400)
    .describe("Batches that may wait for the store; more are refused with a time to try again."),
  pending_mb: z
    .int()
    .min(8)
    .max(16_384)
    .default(32)
    .describe("Size of the batches that may wait for the store, as sent (compressed), in MB."),
  query_seconds: z
    .int()
    .min(1)
    .max(600)
    .default(10)
    .describe("Time after which a query is interrupted, in seconds."),
  queries_waiting: z
    .int()
    .min(1)
    .max(10_000)
    .default(500)
    .describe("Queries that may wait for one of the two that run; more are answered with 503."),
});

/** Configuration of the collector, keys as in its TOML file. Unknown keys are refused. */
export const CollectorConfigSchema: z.ZodType<CollectorConfig, CollectorConfigInput> = z.strictObject({
  state_dir: z
    .string()
    .min(1)
    .describe("Folder for everything the collector keeps: the store and the hashes of the license keys."),
  listen: z
    .string()
    .regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):\d{1,5}$/, "must be HOST:PORT, e.g. 127.0.0.1:8460")
    .refine((listen) => Number(listen.slice(listen.lastIndexOf(":") + 1)) <= 65_535, "the port is over 65535")
    .default("127.0.0.1:8460")
    .describe("HOST:PORT of the console, the API and the uplink; port 0 takes a free one."),
  allowed_hosts: z
    .array(z.string().regex(/^[^\s/:?#@\\[\]]+$/, "must be a host name without a port, e.g. apm.example.com"))
    .max(100)
    .default([])
    .describe(
      "Host names of a reverse proxy by which browsers reach the console; IP addresses, localhost, the host of " +
        "listen and this machine's name always work.",
    ),
  log: LogSchema.prefault({}).describe("Logging."),
  store: StoreSchema.prefault({}).describe("The embedded store."),
  retention: RetentionSchema.prefault({}).describe("How long data is kept."),
  limits: LimitsSchema.prefault({}).describe("Bounds that keep the collector alive under load."),
});

export interface CollectorConfig {
  state_dir: string;
  listen: string;
  allowed_hosts: string[];
  log: { level: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent" };
  store: { memory_limit_mb: number; threads: number; min_free_disk_mb: number; min_free_disk_ratio: number };
  retention: {
    days: number;
    minutes_days: number;
    hours_days: number;
    traces_days: number;
    sampled_traces_days: number;
    records_days: number;
  };
  limits: {
    uplinks: number;
    pending_batches: number;
    pending_mb: number;
    query_seconds: number;
    queries_waiting: number;
  };
}

/** What may be written in the file: only `state_dir` has no default. */
export interface CollectorConfigInput {
  state_dir: string;
  listen?: string | undefined;
  allowed_hosts?: string[] | undefined;
  log?: Optional<CollectorConfig["log"]> | undefined;
  store?: Optional<CollectorConfig["store"]> | undefined;
  retention?: Optional<CollectorConfig["retention"]> | undefined;
  limits?: Optional<CollectorConfig["limits"]> | undefined;
}

type Optional<T> = { [Key in keyof T]?: T[Key] | undefined };
