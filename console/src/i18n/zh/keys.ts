import type { keys as en } from "../en/keys.ts";

export const keys: Readonly<Record<keyof typeof en, string>> = {
  "keys.title": "快捷键",
  "keys.home": "前往首页",
  "keys.app": "前往应用",
  "keys.hosts": "前往主机",
  "keys.time": "选择时间范围",
  "keys.shift": "上一或下一时段",
  "keys.zoomOut": "放大范围",
  "keys.compare": "开关对比",
  "keys.live": "开关实时模式",
  "keys.drill": "在图表上：放大所选范围，或查看光标处的追踪",
  "keys.search": "筛选表格",
  "keys.close": "关闭",
};
