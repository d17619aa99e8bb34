/** A daemon in a process of its own, so that it can be killed: `node daemon-main.js CONFIG-JSON`. */
import { pino } from "pino";
import { DaemonConfigSchema } from "../config.ts";
import { startDaemon } from "../daemon.ts";

const config = DaemonConfigSchema.parse(JSON.parse(process.argv[2] ?? "{}"));
const daemon = await startDaemon({ config, version: "0.0.0", log: pino({ level: "error" }) });
process.once("SIGTERM", () => void daemon.stop());
