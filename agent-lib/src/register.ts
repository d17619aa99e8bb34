/** For `node --import @apm-daemon/agent/register`, `--require`, or as an app's first import: starts the agent. */
import { start } from "./index.ts";

start();
