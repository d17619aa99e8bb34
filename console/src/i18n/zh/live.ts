import type { live as en } from "../en/live.ts";

export const live: Readonly<Record<keyof typeof en, string>> = {
  "live.offline": "非实时：{hosts} 没有连接的守护进程。显示已存储的数据；请在该主机上启动守护进程。",
  "live.old":
    "非实时：{hosts} 的守护进程版本过旧。实时模式需要守护进程 {since} 或更新版本；显示已存储的数据。",
  "live.polling": "实时连接无法建立；页面改为反复查询。",
  "live.requests": "请求数",
  "live.requestsNote": "每秒，由守护进程计数",
  "live.errors": "错误数",
  "live.avg": "响应时间",
  "live.waiting": "等待第一秒的数据…",
};
