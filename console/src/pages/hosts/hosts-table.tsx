import type { JSX } from "preact";
import { link } from "../../app/location.ts";
import type { HostRow } from "../../data/answers.ts";
import { t } from "../../i18n/translate.ts";
import { agoText } from "../../ui/ago-text.ts";
import { Meter } from "../../ui/meter.tsx";
import { bytes, duration, percent, plain, text, UNKNOWN } from "../../ui/number-text.ts";
import { Empty } from "../../ui/states.tsx";
import { Table } from "../../ui/table.tsx";
import { busiestHostsFirst } from "../home/worst-first.ts";
import "../../i18n/en/host.ts";

/** Hosts with their newest second; `isFull` adds what they are made of. */
export function HostsTable({ hosts, isFull = false }: { hosts: HostRow[]; isFull?: boolean }): JSX.Element {
  return (
    <Table
      label={t("hosts.title")}
      rows={busiestHostsFirst(hosts)}
      keyOf={(row) => row.host}
      columns={[
        {
          key: "host",
          label: t("metric.host"),
          cell: (row) => (
            <span class="two-lines">
              <a class="row-link strong" href={link({ page: "host", host: row.host })}>
                {row.host}
              </a>
              <small>{row.apps.join(", ")}</small>
            </span>
          ),
        },
        { key: "cpu", label: t("metric.cpu"), cell: (row) => <Meter ratio={row.cpuRatio} /> },
        { key: "memory", label: t("metric.memory"), cell: (row) => <Meter ratio={row.memUsedRatio} /> },
        {
          key: "steal",
          label: t("host.steal"),
          isNumber: true,
          cell: (row) => text(percent(row.stealRatio)),
        },
        {
          key: "iowait",
          label: t("host.iowait"),
          isNumber: true,
          cell: (row) => text(percent(row.iowaitRatio)),
        },
        { key: "psi", label: t("hosts.psi"), isNumber: true, cell: pressureText },
        {
          key: "lag",
          label: t("hosts.lag"),
          isNumber: true,
          cell: (row) => text(duration(row.eventLoopDelayMs)),
        },
        {
          key: "load",
          label: t("metric.load"),
          isNumber: true,
          cell: (row) => (
            <>
              {text(plain(row.load1))} <small>/ {row.cores}</small>
            </>
          ),
        },
        ...(isFull
          ? [
              {
                key: "total",
                label: t("metric.size"),
                isNumber: true,
                cell: (row: HostRow) => text(bytes(row.memTotalBytes)),
              },
              { key: "os", label: t("hosts.os"), cell: (row: HostRow) => `${row.os} · ${row.kernel}` },
              { key: "daemon", label: t("hosts.daemon"), cell: (row: HostRow) => row.daemonVersion },
            ]
          : []),
        {
          key: "seen",
          label: t("metric.lastSeen"),
          isNumber: true,
          cell: (row) => agoText(row.lastSeenUnixMs),
        },
      ]}
    />
  );
}

/** The highest of the three pressures with its name; a dash where the kernel does not report any. */
function pressureText({ psiCpuRatio, psiMemoryRatio, psiIoRatio }: HostRow): string {
  const [highest] = [
    { name: t("metric.cpu"), ratio: psiCpuRatio ?? null },
    { name: t("metric.memory"), ratio: psiMemoryRatio ?? null },
    { name: t("hosts.io"), ratio: psiIoRatio ?? null },
  ].sort((a, b) => (b.ratio ?? -1) - (a.ratio ?? -1));
  if (highest === undefined || highest.ratio === null) return UNKNOWN;
  return highest.ratio === 0 ? text(percent(0)) : `${highest.name} ${text(percent(highest.ratio))}`;
}

/** The collector knows no host yet. */
export function NoHosts(): JSX.Element {
  return <Empty title={t("state.noHosts")} hint={t("state.noHostsHint")} command="apm up" />;
}
