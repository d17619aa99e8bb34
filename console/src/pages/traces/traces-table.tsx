import type { JSX } from "preact";
import { link } from "../../app/location.ts";
import type { TraceRow } from "../../data/answers.ts";
import { t } from "../../i18n/translate.ts";
import { ActionName } from "../../ui/action-name.tsx";
import { duration, text } from "../../ui/number-text.ts";
import { Table, type TableColumn } from "../../ui/table.tsx";
import { dateTimeText } from "../../ui/time-text.ts";
import { causeName, evidenceText } from "../../ui/verdict-text.ts";
import "../../i18n/en/traces.ts";

const REASONS = ["error", "slow", "n_plus_one", "random", "fetched", "unfinished"] as const;

/** Kept traces; `isShort` leaves out what a narrow card has no room for. */
export function TracesTable({
  traces,
  isShort = false,
}: {
  traces: TraceRow[];
  isShort?: boolean;
}): JSX.Element {
  const longest = Math.max(1, ...traces.map((row) => row.durationMs));
  const columns: (TableColumn<TraceRow> & { isLong?: boolean })[] = [
    {
      key: "action",
      label: t("metric.action"),
      cell: (row) => (
        <a
          class={isShort ? "row-link clip" : "row-link action-cell"}
          href={link({ page: "trace", traceId: row.traceId })}
          title={row.traceId}
        >
          <ActionName name={row.action} />
        </a>
      ),
    },
    {
      key: "duration",
      label: t("metric.duration"),
      isNumber: true,
      cell: (row) => (
        <span class="duration-cell">
          {!isShort && (
            <span class="meter-track" aria-hidden="true">
              <i style={{ width: `${(row.durationMs / longest) * 100}%` }} />
            </span>
          )}
          <span class="duration-text">{text(duration(row.durationMs))}</span>
        </span>
      ),
    },
    {
      key: "status",
      label: t("metric.status"),
      cell: (row) => (
        <>
          <Outcome row={row} />
          <RepeatMark row={row} />
        </>
      ),
    },
    { key: "cause", label: t("traces.cause"), isLong: true, cell: (row) => <CauseMark row={row} /> },
    { key: "reason", label: t("metric.kept"), isLong: true, cell: (row) => reasonText(row.reason) },
    { key: "host", label: t("metric.host"), isLong: true, cell: (row) => row.host },
    { key: "spans", label: t("metric.spans"), isLong: true, isNumber: true, cell: (row) => row.spans },
    {
      key: "start",
      label: t("metric.start"),
      isNumber: true,
      cell: (row) => startText(row.startUnixMs, isShort),
    },
  ];
  return (
    <Table
      label={t("traces.title")}
      class={isShort ? "fixed-first" : ""}
      rows={traces}
      keyOf={(row) => `${row.traceId} ${row.rootSpanId}`}
      columns={columns.filter((column) => !isShort || !column.isLong)}
    />
  );
}

function startText(unixMs: number, isShort: boolean): string {
  return isShort ? dateTimeText(unixMs).slice(11) : dateTimeText(unixMs);
}

function reasonText(reason: string): string {
  const known = REASONS.find((one) => one === reason);
  return known === undefined ? reason : t(`traces.reason.${known}`);
}

/** What made it slow before all else; nothing where nothing was unusual. */
function CauseMark({ row }: { row: TraceRow }): JSX.Element | null {
  const [first] = row.verdict?.causes ?? [];
  if (first === undefined) return null;
  return (
    <span class="clip" title={evidenceText(first)}>
      {causeName(first)}
    </span>
  );
}

/** For requests that call the same again and again. */
function RepeatMark({ row }: { row: TraceRow }): JSX.Element | null {
  const [most] = row.repeats ?? [];
  if (most === undefined) return null;
  return (
    <>
      {" "}
      <span class="chip grade-fair" title={t("traces.repeats", { count: most.calls, name: most.operation })}>
        N+1
      </span>
    </>
  );
}

/** Status code and, apart from colour, a sign for failures. */
export function Outcome({ row }: { row: TraceRow }): JSX.Element {
  const label = row.status > 0 ? String(row.status) : row.error ? t("traces.error") : t("traces.ok");
  if (!row.error) return <span class="mono">{label}</span>;
  return (
    <span class="chip grade-unacceptable">
      <span aria-hidden="true">✕</span> {label}
    </span>
  );
}
