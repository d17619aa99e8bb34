import type { chartTable as en } from "../en/chart-table.ts";

export const chartTable: Readonly<Record<keyof typeof en, string>> = {
  "chart.time": "时间",
  "chart.completeColumn": "完整度",
};
