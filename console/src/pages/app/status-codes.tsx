import type { JSX } from "preact";
import type { StatusCodesAnswer } from "../../data/answers.ts";
import { t } from "../../i18n/translate.ts";
import { percent, text, UNKNOWN } from "../../ui/number-text.ts";
import { Table } from "../../ui/table.tsx";
import { reasonPhrase } from "./reason-phrase.ts";
import "../../i18n/en/app.ts";

/** Every status code with its exact count; `before` are the counts of the compared range. */
export function StatusCodesTable(props: {
  answer: StatusCodesAnswer;
  before: StatusCodesAnswer | null;
}): JSX.Element {
  const { answer, before } = props;
  const earlier = new Map(before?.statusCodes.map((row) => [row.code, row.share]));
  const columns = [
    {
      key: "code",
      label: t("metric.statusCode"),
      cell: (row: StatusCodesAnswer["statusCodes"][number]) => (
        <span>
          <i class={`swatch fill-${classOf(row.code)}`} aria-hidden="true" /> <b class="mono">{row.code}</b>{" "}
          <small>{row.code === 0 ? t("app.noStatus") : reasonPhrase(row.code)}</small>
        </span>
      ),
    },
    {
      key: "count",
      label: t("metric.count"),
      isNumber: true,
      cell: (row: StatusCodesAnswer["statusCodes"][number]) => row.count.toLocaleString("en-US"),
    },
    {
      key: "share",
      label: t("metric.share"),
      isNumber: true,
      cell: (row: StatusCodesAnswer["statusCodes"][number]) => text(percent(row.share)),
    },
  ];
  // Of a time without a request nothing is known to compare with.
  const isKnown = before !== null && before.requests > 0;
  if (before !== null) {
    columns.push({
      key: "change",
      label: t("metric.change"),
      isNumber: true,
      cell: (row) => (isKnown ? pointsText((row.share ?? 0) - (earlier.get(row.code) ?? 0)) : UNKNOWN),
    });
  }
  return (
    <Table
      label={t("app.statusCodes")}
      rows={answer.statusCodes}
      keyOf={(row) => String(row.code)}
      columns={columns}
    />
  );
}

function classOf(code: number): string {
  const digit = Math.floor(code / 100);
  return digit >= 2 && digit <= 5 ? `status-${digit}xx` : "queue";
}

function pointsText(change: number): string {
  const points = change * 100;
  if (Math.abs(points) < 0.005) return "0";
  return `${points > 0 ? "+" : "−"}${Math.abs(points).toFixed(2)} pp`;
}
