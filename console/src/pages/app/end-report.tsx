import type { JSX } from "preact";
import { link } from "../../app/location.ts";
import type { AppEnd } from "../../data/answers.ts";
import { t } from "../../i18n/translate.ts";
import { bytes, count, duration, text, UNKNOWN } from "../../ui/number-text.ts";
import { Table } from "../../ui/table.tsx";
import { clockText } from "../../ui/time-text.ts";
import { EndCharts } from "./end-charts.tsx";
import "../../i18n/en/ends.ts";

/** What was known of a process when it ended. */
export function EndReport({ app, event }: { app: string; event: AppEnd }): JSX.Element {
  const { evidence, error, inFlight, inFlightUnixMs, lastCalls } = event;
  return (
    <div class="end-report">
      <dl class="facts facts-row">
        <div>
          <dt>{t("ends.process")}</dt>
          <dd>
            {event.pid} · {event.runtime} ·{" "}
            <a href={link({ page: "host", host: event.host })}>{event.host}</a>
          </dd>
        </div>
        <Fact name={t("ends.lived")} value={text(duration(event.unixMs - event.startUnixMs))} />
        <Fact name={t("ends.rss")} value={text(bytes(evidence.rssBytes))} />
        <Fact name={t("ends.limit")} value={text(bytes(evidence.memoryLimitBytes))} />
        <Fact name={t("ends.oomKills")} value={text(count(evidence.oomKills))} />
        <Fact
          name={t("ends.unknown")}
          value={t("ends.unknownNote", {
            window: text(duration(event.crashWindowMs)),
            spans: event.spansLostAtLeast,
          })}
        />
      </dl>
      {error !== null && error.stack !== "" && (
        <>
          <h3>{t("ends.stack")}</h3>
          <pre class="command">{`${error.type}: ${error.message}\n${error.stack}`}</pre>
        </>
      )}
      <EndCharts app={app} event={event} />
      <h3>{t("ends.inFlight", { time: inFlightUnixMs === null ? UNKNOWN : clockText(inFlightUnixMs) })}</h3>
      {inFlight.length === 0 ? <p class="note">{t("ends.noInFlight")}</p> : <InFlight event={event} />}
      <h3>{t("ends.lastCalls")}</h3>
      {lastCalls.length === 0 ? <p class="note">{t("ends.noCalls")}</p> : <LastCalls event={event} />}
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** These requests never ended, so no trace of them was kept: their ids are for the app's own logs. */
function InFlight({ event }: { event: AppEnd }): JSX.Element {
  return (
    <Table
      label={t("ends.inFlight", { time: "" })}
      rows={event.inFlight}
      keyOf={(row) => row.traceId}
      columns={[
        { key: "action", label: t("metric.action"), cell: (row) => row.action },
        { key: "trace", label: t("nav.traces"), cell: (row) => <span class="mono">{row.traceId}</span> },
        { key: "age", label: t("ends.age"), isNumber: true, cell: (row) => text(duration(row.ageMs)) },
      ]}
    />
  );
}

function LastCalls({ event }: { event: AppEnd }): JSX.Element {
  const actions = new Map(event.inFlight.map(({ traceId, action }) => [traceId, action]));
  return (
    <Table
      label={t("ends.lastCalls")}
      class="fixed-first"
      rows={event.lastCalls.map((row, index) => ({ ...row, index }))}
      keyOf={(row) => String(row.index)}
      columns={[
        {
          key: "call",
          label: t("metric.statement"),
          cell: (row) => (
            <span class="two-lines">
              <span class={row.error ? "clip mono bad" : "clip mono"} title={row.statement || row.name}>
                {row.statement || row.name}
              </span>
              <small class="clip">
                {[row.system, row.target, actions.get(row.traceId) ?? ""]
                  .filter((part) => part !== "")
                  .join(" · ")}
              </small>
            </span>
          ),
        },
        {
          key: "duration",
          label: t("metric.duration"),
          isNumber: true,
          cell: (row) => text(duration(row.durationUs / 1000)),
        },
        {
          key: "before",
          label: t("ends.before"),
          isNumber: true,
          cell: (row) => text(duration(Math.max(0, event.unixMs - row.endUnixMs))),
        },
      ]}
    />
  );
}
