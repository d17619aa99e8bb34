import type { ledger as english } from "../en/ledger.ts";

export const ledger: Record<keyof typeof english, string> = {
  "ledger.title": "{name} 的丢失台账",
  "ledger.close": "关闭",
  "ledger.spans":
    "此时间内结束的 {created} 个 span 中，已存储 {stored} 个，丢失 {lost} 个，在途 {inFlight} 个。",
  "ledger.seconds": "首末两秒之间共 {created} 秒，已存储 {stored} 秒，缺 {lost} 秒。",
  "ledger.unknown": "对这段时间一无所知。",
  "ledger.nothing": "没有缺失。",
  "ledger.reason": "原因",
  "ledger.lost": "丢失",
  "ledger.when": "时间",
  "ledger.missing": "缺失",
  "ledger.gapHint":
    "这些时间里守护进程没有运行，或者主机停顿、过忙而无法采样。仅列出最长的；久远的只知道所在的分钟或小时。",
  "ledger.reason.agent_ring_full": "应用内的 span 缓冲已满：没有守护进程接收",
  "ledger.reason.agent_overhead": "探针已用完允许的 CPU 时间",
  "ledger.reason.span_too_large": "span 过大",
  "ledger.reason.agent_error": "探针记录失败",
  "ledger.reason.agent_stopped": "探针已停止",
  "ledger.reason.agent_reason_lost": "探针丢弃，原因未送达",
  "ledger.reason.frame_malformed": "守护进程无法解析",
  "ledger.reason.corrupt": "主机磁盘上的日志损坏",
  "ledger.reason.journal_full": "日志在统计之前已写满",
  "ledger.reason.app_crash_window": "应用被杀时仍在其内存中",
  "ledger.reason.outbox_full": "等待采集器过久：发件箱已满",
  "ledger.reason.outbox_corrupt": "发件箱中的批次损坏",
  "ledger.reason.dead_letter": "采集器拒收",
  "ledger.reason.unexplained": "原因不明：程序缺陷",
};
