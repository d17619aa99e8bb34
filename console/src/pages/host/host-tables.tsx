import type { JSX } from "preact";
import { link, pageRange } from "../../app/location.ts";
import type { ProcessesAnswer, ProcessRow, SnapshotAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { type Answer, useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { Meter } from "../../ui/meter.tsx";
import { bytes, bytesPerSecond, count, duration, percent, plain, text } from "../../ui/number-text.ts";
import { Answered, Empty } from "../../ui/states.tsx";
import { Table } from "../../ui/table.tsx";
import { clockText, dateTimeText } from "../../ui/time-text.ts";
import "../../i18n/en/host.ts";

/** CPU of a process: 100 % is one whole core. */
const cpuText = (ratio: number | null): string => text(percent(ratio));

/** Processes that run under the agent. */
function MonitoredProcesses({ processes }: { processes: ProcessRow[] }): JSX.Element {
  return (
    <Table
      label={t("host.processes")}
      rows={processes}
      keyOf={(row) => row.instance}
      columns={[
        {
          key: "app",
          label: t("metric.app"),
          cell: (row) => (
            <span class="two-lines">
              <a class="row-link strong" href={link({ page: "app", app: row.app })}>
                {row.app} <small>{row.appVersion}</small>
              </a>
              <Deployed row={row} />
            </span>
          ),
        },
        { key: "pid", label: t("host.pid"), isNumber: true, cell: (row) => row.pid },
        { key: "cpu", label: t("metric.cpu"), isNumber: true, cell: (row) => cpuText(row.cpuRatio) },
        { key: "rss", label: t("host.rss"), isNumber: true, cell: (row) => text(bytes(row.rssBytes)) },
        {
          key: "lag",
          label: t("host.lag"),
          isNumber: true,
          cell: (row) => text(duration(row.eventLoopDelayP99Ms)),
        },
        { key: "runtime", label: t("host.runtime"), cell: (row) => row.runtime },
        {
          key: "start",
          label: t("host.started"),
          isNumber: true,
          cell: (row) => dateTimeText(row.startUnixMs),
        },
      ]}
    />
  );
}

/** Where a process runs, as far as its agent found it. */
function Deployed({ row: { systemdUnit, containerId } }: { row: ProcessRow }): JSX.Element | null {
  const places = [systemdUnit, containerId && t("host.container", { id: containerId.slice(0, 12) })].filter(
    Boolean,
  );
  return places.length === 0 ? null : (
    <small class="clip" title={containerId}>
      {places.join(" · ")}
    </small>
  );
}

/** The host's hungriest processes at the newest snapshot. */
function TopProcesses({ snapshot }: { snapshot: SnapshotAnswer }): JSX.Element {
  return (
    <Table
      label={t("host.topProcesses")}
      class="fixed-first"
      rows={snapshot.topProcesses}
      keyOf={(row) => String(row.pid)}
      columns={[
        {
          key: "command",
          label: t("host.command"),
          cell: (row) => (
            <span class="mono clip" title={row.command}>
              {row.command}
            </span>
          ),
        },
        { key: "pid", label: t("host.pid"), isNumber: true, cell: (row) => row.pid },
        { key: "user", label: t("host.userName"), cell: (row) => row.user },
        { key: "cpu", label: t("metric.cpu"), isNumber: true, cell: (row) => cpuText(row.cpuRatio) },
        { key: "rss", label: t("host.rss"), isNumber: true, cell: (row) => text(bytes(row.rssBytes)) },
        { key: "threads", label: t("host.threads"), isNumber: true, cell: (row) => text(count(row.threads)) },
      ]}
    />
  );
}

/** How full each filesystem is. */
function Filesystems({ snapshot }: { snapshot: SnapshotAnswer }): JSX.Element {
  return (
    <Table
      label={t("host.filesystems")}
      class="titled"
      rows={snapshot.filesystems}
      keyOf={(row) => row.mount}
      columns={[
        {
          key: "mount",
          label: t("host.mount"),
          cell: (row) => (
            <span class="mono clip" title={row.mount}>
              {row.mount} <small>{row.type}</small>
            </span>
          ),
        },
        {
          key: "used",
          label: t("host.used"),
          cell: (row) => <Meter ratio={row.sizeBytes === 0 ? null : row.usedBytes / row.sizeBytes} />,
        },
        { key: "size", label: t("metric.size"), isNumber: true, cell: (row) => text(bytes(row.sizeBytes)) },
        {
          key: "free",
          label: t("host.available"),
          isNumber: true,
          cell: (row) => text(bytes(row.availableBytes)),
        },
      ]}
    />
  );
}

/** Each disk's work at the newest snapshot. */
function Disks({ snapshot }: { snapshot: SnapshotAnswer }): JSX.Element {
  return (
    <Table
      label={t("host.disks")}
      class="titled"
      rows={snapshot.disks}
      keyOf={(row) => row.name}
      columns={[
        { key: "name", label: t("metric.name"), cell: (row) => <span class="mono">{row.name}</span> },
        { key: "busy", label: t("host.busy"), cell: (row) => <Meter ratio={row.busyRatio} /> },
        {
          key: "read",
          label: t("host.read"),
          isNumber: true,
          cell: (row) => text(bytesPerSecond(row.readBytesPerSecond)),
        },
        {
          key: "write",
          label: t("host.write"),
          isNumber: true,
          cell: (row) => text(bytesPerSecond(row.writeBytesPerSecond)),
        },
        { key: "wait", label: t("host.wait"), isNumber: true, cell: (row) => text(duration(row.awaitMs)) },
      ]}
    />
  );
}

/** Each network interface's traffic at the newest snapshot. */
function Interfaces({ snapshot }: { snapshot: SnapshotAnswer }): JSX.Element {
  return (
    <Table
      label={t("host.interfaces")}
      class="titled"
      rows={snapshot.interfaces}
      keyOf={(row) => row.name}
      columns={[
        { key: "name", label: t("metric.name"), cell: (row) => <span class="mono">{row.name}</span> },
        {
          key: "in",
          label: t("host.receive"),
          isNumber: true,
          cell: (row) => text(bytesPerSecond(row.receiveBytesPerSecond)),
        },
        {
          key: "out",
          label: t("host.transmit"),
          isNumber: true,
          cell: (row) => text(bytesPerSecond(row.transmitBytesPerSecond)),
        },
        {
          key: "errors",
          label: t("host.netErrors"),
          isNumber: true,
          cell: (row) => text(plain(row.errorsPerSecond)),
        },
        {
          key: "drops",
          label: t("host.netDrops"),
          isNumber: true,
          cell: (row) => text(plain(row.dropsPerSecond)),
        },
      ]}
    />
  );
}

/** The tables below a host's charts: monitored processes, then the newest snapshot. */
export function HostTables({
  host,
  snapshot,
}: {
  host: string;
  snapshot: Answer<SnapshotAnswer>;
}): JSX.Element {
  const processes = useAnswer<ProcessesAnswer>(apiPaths.processes(host), pageRange.value);
  const missing = <Empty title={t("state.noSeries")} />;
  const at = snapshot.data === null ? "" : t("host.newest", { time: clockText(snapshot.data.tsMs) });
  return (
    <div class="grid">
      <Card class="span-12" title={t("host.processes")}>
        <Answered answer={processes}>
          {({ processes }) =>
            processes.length === 0 ? (
              <Empty title={t("state.noProcesses")} />
            ) : (
              <MonitoredProcesses processes={processes} />
            )
          }
        </Answered>
      </Card>
      <Card class="span-7" title={t("host.topProcesses")} note={at}>
        <Answered answer={snapshot} missing={missing}>
          {(data) => <TopProcesses snapshot={data} />}
        </Answered>
      </Card>
      <div class="span-5 column">
        <Card title={t("host.filesystems")} note={at}>
          <Answered answer={snapshot} missing={missing}>
            {(data) => <Filesystems snapshot={data} />}
          </Answered>
        </Card>
        <Card title={t("host.disks")} note={at}>
          <Answered answer={snapshot} missing={missing}>
            {(data) => <Disks snapshot={data} />}
          </Answered>
        </Card>
        <Card title={t("host.interfaces")} note={at}>
          <Answered answer={snapshot} missing={missing}>
            {(data) => <Interfaces snapshot={data} />}
          </Answered>
        </Card>
      </div>
    </div>
  );
}
