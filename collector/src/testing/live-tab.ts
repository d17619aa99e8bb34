import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";

type Message = Record<string, unknown> & { type: string };

/** A tab of the console, by its live connection. */
export class LiveTab {
  readonly socket: WebSocket;
  readonly messages: Message[] = [];

  constructor(url: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(`${url.replace("http", "ws")}/api/v1/live`, {
      headers: { origin: url, ...headers },
    });
    this.socket.on("message", (data: Buffer) => this.messages.push(JSON.parse(data.toString()) as Message));
  }

  static async open(
    url: string,
    watch: object | null,
    headers: Record<string, string> = {},
  ): Promise<LiveTab> {
    const tab = new LiveTab(url, headers);
    await once(tab.socket, "open");
    tab.socket.send(JSON.stringify({ watch }));
    return tab;
  }

  async has(type: string, count = 1): Promise<Message[]> {
    for (;;) {
      const found = this.messages.filter((message) => message.type === type);
      if (found.length >= count) return found;
      await sleep(5);
    }
  }

  async close(): Promise<void> {
    this.socket.close();
    await once(this.socket, "close");
  }
}
