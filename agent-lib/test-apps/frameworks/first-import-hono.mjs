import "@apm-daemon/agent/register";
import "./call-hono.mjs";
