import type { ColorName } from "../../chart/colors.ts";
import type { Column, ErrorSeriesAnswer } from "../../data/answers.ts";
import { sumColumns } from "../../data/columns.ts";

const COLORS: readonly ColorName[] = ["status-5xx", "database", "cache", "code", "external"];

export interface ErrorLayer {
  type: string;
  color: ColorName;
  count: number;
  values: Column;
}

/** The most frequent classes, and how many classes the others are. */
export function errorLayers({ types, others }: ErrorSeriesAnswer): {
  layers: ErrorLayer[];
  rest: { types: number; count: number; values: Column } | null;
} {
  const layers = types
    .slice(0, COLORS.length)
    .map((one, i) => ({ ...one, color: COLORS[i] ?? ("queue" as const) }));
  const left = [
    ...types.slice(COLORS.length).map((one) => ({ ...one, types: 1 })),
    ...(others ? [others] : []),
  ];
  if (left.length === 0) return { layers, rest: null };
  return {
    layers,
    rest: {
      types: left.reduce((sum, one) => sum + one.types, 0),
      count: left.reduce((sum, one) => sum + one.count, 0),
      values: sumColumns(left.map((one) => one.values)),
    },
  };
}
