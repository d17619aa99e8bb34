import { request } from "node:http";
import { join } from "node:path";
import type { StatusReport } from "@apm-daemon/protocol";
import type { StateDir } from "./system.ts";

const ANSWER_WITHIN_MS = 30_000;

/** What the daemon at a status socket says of itself, without the cost of a command; rejects when none answers. */
export async function readStatus(socketPath: string): Promise<StatusReport> {
  return JSON.parse(await socketAnswer(socketPath, "/status")) as StatusReport;
}

/** Body of GET on the daemon's status socket, whatever its status code. */
export function statusSocketAnswer(stateDir: StateDir, path: string): Promise<string> {
  return socketAnswer(join(stateDir.path, "run", "status.sock"), path);
}

/** What the daemon says of itself, without a process that asks for it: for those who ask often. */
export async function statusOf(stateDir: StateDir): Promise<StatusReport> {
  return JSON.parse(await statusSocketAnswer(stateDir, "/status")) as StatusReport;
}

function socketAnswer(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, timeout: ANSWER_WITHIN_MS, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        text += part;
      });
      response.on("error", reject);
      response.on("end", () => resolve(text));
    });
    asked.on("timeout", () => asked.destroy(new Error(`${socketPath} did not answer within 30 s`)));
    asked.on("error", reject);
    asked.end();
  });
}
