import type { StatusReport } from "@apm-daemon/protocol";

interface Metric {
  name: string;
  type: "counter" | "gauge";
  sentence: string;
  value: (report: StatusReport) => number | null;
}

function metric(type: Metric["type"], name: string, sentence: string, value: Metric["value"]): Metric {
  return { type, name, sentence, value };
}

/** The daemon's own metrics; names follow Prometheus' conventions, base units. */
const METRICS: readonly Metric[] = [
  metric("gauge", "apm_daemon_healthy", "1 when nothing is wrong.", (r) => (r.health === "ok" ? 1 : 0)),
  metric(
    "gauge",
    "apm_daemon_start_time_seconds",
    "Unix time of the daemon's start.",
    (r) => r.startUnixMs / 1_000,
  ),
  metric("gauge", "apm_daemon_cpu_ratio", "CPU used by the daemon, 1 = one core.", (r) => r.self.cpuRatio),
  metric("gauge", "apm_daemon_resident_memory_bytes", "Memory of the daemon.", (r) => r.self.rssBytes),
  metric("gauge", "apm_intake_connections", "App processes connected.", (r) => r.intake.connections),
  metric("counter", "apm_intake_frames_total", "Data frames journaled.", (r) => r.intake.frames),
  metric("counter", "apm_intake_bytes_total", "Bytes of data frames journaled.", (r) => r.intake.bytes),
  metric("counter", "apm_intake_spans_total", "Spans journaled.", (r) => r.intake.spans),
  metric("counter", "apm_intake_refused_total", "Connections refused.", (r) => r.intake.refused),
  metric(
    "counter",
    "apm_intake_malformed_total",
    "Messages that break the protocol.",
    (r) => r.intake.malformed,
  ),
  metric(
    "counter",
    "apm_intake_duplicates_total",
    "Frames that came again, not counted again.",
    (r) => r.intake.duplicates ?? null,
  ),
  metric(
    "counter",
    "apm_intake_sequence_jumps_total",
    "Times an app process left out sequence numbers.",
    (r) => r.intake.sequenceJumps ?? null,
  ),
  metric("gauge", "apm_intake_origin_proven", "1 when the kernel says whose apps connect.", (r) =>
    r.intake.origin === undefined ? null : r.intake.origin === "proven" ? 1 : 0,
  ),
  metric(
    "gauge",
    "apm_intake_throttled_users",
    "Users whose apps are read slower than they write.",
    (r) => r.intake.throttled?.users ?? null,
  ),
  metric(
    "counter",
    "apm_intake_throttled_seconds_total",
    "Time in which a user's apps were read slower than they wrote.",
    (r) => (r.intake.throttled === undefined ? null : r.intake.throttled.ms / 1_000),
  ),
  metric(
    "gauge",
    "apm_intake_false_pids",
    "Connected processes whose claimed pid is not theirs.",
    (r) => r.intake.falsePids ?? null,
  ),
  metric(
    "counter",
    "apm_traces_passed_over_total",
    "Traces chosen but left out because a batch was full.",
    (r) => r.traces?.passedOver ?? null,
  ),
  metric(
    "counter",
    "apm_verdicts_total",
    "Slow or failed requests of which it was found out why.",
    (r) => r.traces?.verdicts?.made ?? null,
  ),
  metric(
    "counter",
    "apm_verdicts_failed_total",
    "Verdicts that failed because of an error.",
    (r) => r.traces?.verdicts?.failed ?? null,
  ),
  metric(
    "counter",
    "apm_verdicts_left_out_total",
    "Verdicts left out because one seal had too many.",
    (r) => r.traces?.verdicts?.leftOut ?? null,
  ),
  metric("gauge", "apm_journal_bytes", "Size of the journal.", (r) => r.journal.bytes),
  metric(
    "gauge",
    "apm_journal_unsealed_bytes",
    "Journal bytes not in a batch yet.",
    (r) => r.journal.position - r.journal.sealed,
  ),
  metric(
    "counter",
    "apm_journal_stalls_total",
    "Times that nothing was taken in because the journal could not be written.",
    (r) => r.journal.stalls ?? null,
  ),
  metric(
    "counter",
    "apm_journal_sync_failures_total",
    "Syncs of a journal segment that the disk refused.",
    (r) => r.journal.syncFailures ?? null,
  ),
  metric(
    "gauge",
    "apm_journal_unreadable_bytes",
    "Bytes of the journal that could not be read at start.",
    (r) => r.recovery?.unreadableBytes ?? null,
  ),
  metric("gauge", "apm_outbox_batches", "Batches waiting for the collector.", (r) => r.outbox.batches),
  metric("gauge", "apm_outbox_bytes", "Bytes waiting for the collector.", (r) => r.outbox.bytes),
  metric(
    "gauge",
    "apm_outbox_dead_letters",
    "Batches that the collector can never use.",
    (r) => r.outbox.deadLetters ?? null,
  ),
  metric(
    "gauge",
    "apm_uplink_in_flight_bytes",
    "Bytes of batches sent and not answered.",
    (r) => r.uplink.inFlightBytes ?? null,
  ),
  metric(
    "gauge",
    "apm_uplink_buffered_bytes",
    "Bytes in memory until the network takes them.",
    (r) => r.uplink.bufferedBytes ?? null,
  ),
  metric("gauge", "apm_uplink_connected", "1 when connected to the collector.", (r) =>
    r.uplink.state === "connected" ? 1 : 0,
  ),
  metric(
    "counter",
    "apm_uplink_batches_acked_total",
    "Batches the collector has committed.",
    (r) => r.uplink.batchesAcked,
  ),
  metric("counter", "apm_uplink_sent_bytes_total", "Bytes sent to the collector.", (r) => r.uplink.bytesSent),
];

/** The report in Prometheus' text format 0.0.4. */
export function prometheusText(report: StatusReport): string {
  const lines: string[] = [];
  for (const { name, type, sentence, value } of METRICS) {
    const now = value(report);
    if (now !== null) lines.push(`# HELP ${name} ${sentence}`, `# TYPE ${name} ${type}`, `${name} ${now}`);
  }
  lines.push(
    "# HELP apm_spans_dropped_total Spans lost, by app and reason.",
    "# TYPE apm_spans_dropped_total counter",
  );
  for (const [app, reasons] of Object.entries(report.dropped)) {
    for (const [reason, count] of Object.entries(reasons)) {
      lines.push(`apm_spans_dropped_total{app="${label(app)}",reason="${label(reason)}"} ${count}`);
    }
  }
  lines.push(...intakeLines(report.intake));
  return `${lines.join("\n")}\n`;
}

function intakeLines({ refusedBy = {}, users = [] }: StatusReport["intake"]): string[] {
  const lines = [
    "# HELP apm_intake_refused_by_total Connections refused, by reason.",
    "# TYPE apm_intake_refused_by_total counter",
    ...Object.entries(refusedBy).map(
      ([reason, count]) => `apm_intake_refused_by_total{reason="${label(reason)}"} ${count}`,
    ),
    "# HELP apm_intake_user_bytes_per_second Speed of the users who send most; uid is empty where it is not proven.",
    "# TYPE apm_intake_user_bytes_per_second gauge",
  ];
  for (const { uid, bytesPerSecond } of users)
    lines.push(`apm_intake_user_bytes_per_second{uid="${uid ?? ""}"} ${bytesPerSecond}`);
  return lines;
}

function label(value: string): string {
  return value.replace(/[\\"\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`));
}
