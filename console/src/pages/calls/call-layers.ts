import type { ColorName } from "../../chart/colors.ts";
import type { CallSeriesAnswer, Column } from "../../data/answers.ts";
import { groupNames } from "./call-name.ts";

/** Colours that stay apart beside each other; the rest is grey. */
const COLORS: readonly ColorName[] = ["code", "database", "external", "cache", "status-3xx"];

export interface Layer {
  key: string;
  label: string;
  color: ColorName;
  values: Column;
  /** Of the whole range, as the answer has it. */
  total: number;
}

export type CountedColumn = "calls" | "errors" | "totalTimeMs";

/** The groups with most time as layers, and what is left of all calls as the last one. */
export function layersOf(answer: CallSeriesAnswer, name: CountedColumn, othersLabel: string): Layer[] {
  const groups = answer.groups.slice(0, COLORS.length);
  const names = groupNames(groups);
  const layers = groups.map((group, i) => ({
    key: String(i),
    label: names[i] ?? "",
    color: COLORS[i] ?? "queue",
    values: group.cols[name],
    total: group[name],
  }));
  if (answer.leftOut + answer.groups.length === groups.length) return layers;
  const rest = (all: number, parts: readonly (number | null | undefined)[]): number =>
    Math.max(0, all - parts.reduce<number>((sum, part) => sum + (part ?? 0), 0));
  return [
    ...layers,
    {
      key: "others",
      label: othersLabel,
      color: "queue",
      values: answer.all.cols[name].map((all, i) =>
        all === null
          ? null
          : rest(
              all,
              layers.map((layer) => layer.values[i]),
            ),
      ),
      total: rest(
        answer.all[name],
        layers.map((layer) => layer.total),
      ),
    },
  ];
}
