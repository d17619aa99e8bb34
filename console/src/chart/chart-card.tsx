import type { JSX } from "preact";
import type { Columns } from "../data/answers.ts";
import type { Answer } from "../data/use-answer.ts";
import { Card } from "../ui/card.tsx";
import { Answered } from "../ui/states.tsx";

/** A card around a chart, which brings its own heading. */
export function ChartCard(props: {
  class: string;
  answer: Answer<Columns>;
  size?: "chart" | "chart-tall";
  children: (columns: Columns) => JSX.Element;
}): JSX.Element {
  return (
    <Card class={props.class}>
      <Answered answer={props.answer} size={props.size ?? "chart"}>
        {props.children}
      </Answered>
    </Card>
  );
}
