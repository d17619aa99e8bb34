import type { JSX } from "preact";
import { UNKNOWN } from "./number-text.ts";

/** A change against an earlier time; which direction is bad depends on the number. */
export function Change(props: { text: string; direction: -1 | 0 | 1; isBad: boolean }): JSX.Element {
  const arrow = props.direction === 0 ? UNKNOWN : props.direction > 0 ? "▲" : "▼";
  return (
    <span class={props.isBad ? "change change-bad" : "change"}>
      <span aria-hidden="true">{arrow}</span> {props.text}
    </span>
  );
}
