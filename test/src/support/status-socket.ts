import { request } from "node:http";
import { join } from "node:path";
import type { StatusReport } from "@apm-daemon/protocol";
import type { StateDir } from "./system.ts";

/** Body of GET on the daemon's status socket, whatever its status code. */
export function statusSocketAnswer(stateDir: StateDir, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socketPath = join(stateDir.path, "run", "status.sock");
    const call = request({ socketPath, path }, (answer) => {
      let body = "";
      answer.setEncoding("utf8");
      answer.on("data", (text: string) => {
        body += text;
      });
      answer.on("end", () => resolve(body));
    });
    call.on("error", reject);
    call.end();
  });
}

/** What the daemon says of itself, without a process that asks for it: for those who ask often. */
export async function statusOf(stateDir: StateDir): Promise<StatusReport> {
  return JSON.parse(await statusSocketAnswer(stateDir, "/status")) as StatusReport;
}
