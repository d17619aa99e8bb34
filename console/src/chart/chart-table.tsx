import type { JSX } from "preact";
import type { Columns } from "../data/answers.ts";
import { t } from "../i18n/translate.ts";
import { percent, text } from "../ui/number-text.ts";
import { dateTimeText } from "../ui/time-text.ts";
import { completenessOf } from "./chart-completeness.ts";
import type { ChartSeries } from "./time-chart.tsx";
import { FORMATTERS, type Unit } from "./unit.ts";
import "../i18n/en/chart-table.ts";

/** A chart's numbers as rows, newest first: what the drawing says, for reading and for those who cannot see it. */
export function ChartTable(props: { columns: Columns; series: ChartSeries[]; unit: Unit }): JSX.Element {
  const { columns, series } = props;
  const format = FORMATTERS[props.unit];
  const { ratios } = completenessOf(columns);
  const length = Math.max(0, ...series.map(({ values }) => values.length));
  const rows = Array.from({ length }, (_, index) => length - 1 - index);
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{t("chart.time")}</th>
          {series.map(({ key, label }) => (
            <th key={key} scope="col" class="number">
              {label}
            </th>
          ))}
          {ratios.length > 0 && (
            <th scope="col" class="number">
              {t("chart.completeColumn")}
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row}>
            <td>{dateTimeText(columns.t0 + row * columns.stepMs)}</td>
            {series.map(({ key, label, values }) => (
              <td key={key} class="number" data-label={label}>
                {text(format(values[row] ?? null))}
              </td>
            ))}
            {ratios.length > 0 && (
              <td class="number" data-label={t("chart.completeColumn")}>
                {text(percent(ratios[row] ?? null))}
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
