import type { traces as en } from "../en/traces.ts";

export const traces: Readonly<Record<keyof typeof en, string>> = {
  "traces.title": "追踪",
  "traces.note": "保留：错误、最慢、重复调用（N+1）、随机样本",
  "traces.sort.slowest": "最慢",
  "traces.sort.recent": "最新",
  "traces.errorsOnly": "仅错误",
  "traces.repeatsOnly": "仅重复调用",
  "traces.repeats": "同一跨度下 {count} × {name}",
  "traces.reason.error": "错误",
  "traces.reason.slow": "慢",
  "traces.reason.n_plus_one": "重复调用",
  "traces.reason.random": "样本",
  "traces.reason.fetched": "按需取回",
  "traces.reason.unfinished": "未结束",
  "traces.cause": "原因",
  "traces.ofAction": "属于 {action}",
  "traces.allActions": "全部应用过程",
  "traces.limited": "仅显示前 {count} 条；缩小时间范围可查看其他。",
  "traces.error": "错误",
  "traces.ok": "正常",
};
