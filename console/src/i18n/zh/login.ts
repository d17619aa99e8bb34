import type { login as english } from "../en/login.ts";

export const login: Readonly<Record<keyof typeof english, string>> = {
  "login.title": "登录",
  "login.password": "密码",
  "login.submit": "登录",
  "login.busy": "正在验证…",
  "login.wrong": "密码不正确。",
  "login.tooMany": "尝试次数过多，请在 {seconds} 秒后重试。",
  "login.noCookie": "浏览器未保存会话 Cookie。请允许此地址使用 Cookie，然后重试。",
  "login.forgotten": "忘记密码？在 collector 所在主机上运行“apm password”即可重设。",
  "login.show": "显示密码",
};
