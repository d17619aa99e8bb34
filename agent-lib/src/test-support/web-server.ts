import * as http from "node:http";
import type { AddressInfo } from "node:net";

export interface WebAnswer {
  status: number;
  body: string;
  headers: http.IncomingHttpHeaders;
}

/** A server on a free port of loopback and calls to it. */
export class WebServer {
  readonly server: http.Server;
  readonly agent: http.Agent = new http.Agent({ keepAlive: true, maxSockets: 50 });

  constructor(served: http.RequestListener | http.Server) {
    this.server = typeof served === "function" ? http.createServer(served) : served;
  }

  /** Known after listen(), and kept after close(). */
  port: number = 0;

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  call(path: string, options: http.RequestOptions & { body?: string } = {}): Promise<WebAnswer> {
    const { body, ...rest } = options;
    return new Promise((resolve, reject) => {
      const request = http.request(
        { host: "127.0.0.1", port: this.port, path, agent: this.agent, ...rest },
        (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => (text += chunk.toString()));
          response.on("error", reject);
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }),
          );
        },
      );
      request.on("error", reject);
      request.end(body);
    });
  }

  async close(): Promise<void> {
    this.agent.destroy();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
