import type { ComponentChildren, JSX } from "preact";
import type { Quantity } from "./number-text.ts";

/** One number of the page's first row, with its context under it and its course. */
export function Kpi(props: {
  label: string;
  note?: ComponentChildren;
  quantity: Quantity;
  unit?: string;
  beside?: ComponentChildren;
  detail?: ComponentChildren;
  children?: ComponentChildren;
}): JSX.Element {
  const unit = props.unit ?? props.quantity.unit;
  return (
    <div class="kpi">
      <p class="kpi-label">
        {props.label} {props.note !== undefined && <span class="note">{props.note}</span>}
      </p>
      <p class="kpi-value">
        <b>{props.quantity.value}</b>
        {unit !== "" && <span class="kpi-unit">{unit}</span>}
        {props.beside}
      </p>
      <p class="kpi-detail">{props.detail}</p>
      {props.children}
    </div>
  );
}
