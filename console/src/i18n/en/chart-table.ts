import { addTexts } from "../translate.ts";

export const chartTable = {
  "chart.time": "Time",
  "chart.completeColumn": "Complete",
} as const;

addTexts(chartTable, async () => (await import("../zh/chart-table.ts")).chartTable);
