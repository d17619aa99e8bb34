import type { actions as en } from "../en/actions.ts";

export const actions: Readonly<Record<keyof typeof en, string>> = {
  "actions.title": "应用过程",
  "actions.total": "总耗时 {time} 的占比",
  "actions.top5": "前 5 名：{share}",
  "actions.kind.web": "Web",
  "actions.kind.background": "后台任务",
  "actions.kind.all": "全部",
  "actions.sort.time": "耗时最多",
  "actions.sort.slowest": "最慢",
  "actions.sort.dissatisfaction": "最不满意",
  "actions.sort.throughput": "吞吐率",
  "actions.sort.errors": "错误",
  "actions.filter": "筛选应用过程",
  "actions.callees": "该过程发出的调用",
};
