import { request } from "node:http";
import type { StatusReport } from "@apm-daemon/protocol";

const ANSWER_WITHIN_MS = 30_000;

/** What the daemon at a status socket says of itself, without the cost of a command; rejects when none answers. */
export function readStatus(socketPath: string): Promise<StatusReport> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { socketPath, path: "/status", timeout: ANSWER_WITHIN_MS, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          text += part;
        });
        response.on("error", reject);
        response.on("end", () => {
          try {
            resolve(JSON.parse(text) as StatusReport);
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    asked.on("timeout", () => asked.destroy(new Error(`${socketPath} did not answer within 30 s`)));
    asked.on("error", reject);
    asked.end();
  });
}
