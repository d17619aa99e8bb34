import { connect } from "node:net";

const CONNECTIONS = 16;
/** Requests that wait on each connection: their sender does little for each, so that the server is what has no more time. */
const PIPELINED = 8;
const ANSWER = "HTTP/1.1 200 ";

/** Asks a server of this host for one path as fast as it answers. @returns {Promise<{ answered: number, perSecond: number }>} */
export async function saturate(url, seconds) {
  const { hostname, port, pathname } = new URL(url);
  const request = `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`;
  const startMs = performance.now();
  const endMs = startMs + seconds * 1_000;
  const connection = () =>
    new Promise((resolve, reject) => {
      let answered = 0;
      let waiting = 0;
      let rest = "";
      const socket = connect(Number(port), hostname);
      const send = () => {
        waiting = PIPELINED;
        socket.write(request.repeat(PIPELINED));
      };
      socket.setEncoding("latin1");
      socket.on("connect", send);
      socket.on("error", reject);
      socket.on("data", (chunk) => {
        const text = rest + chunk;
        const answers = text.split(ANSWER).length - 1;
        rest = text.slice(1 - ANSWER.length);
        answered += answers;
        waiting -= answers;
        if (waiting > 0) return;
        if (performance.now() < endMs) send();
        else socket.destroy();
      });
      socket.on("close", () => (waiting > 0 ? reject(new Error(`${url} hung up`)) : resolve(answered)));
    });
  const counts = await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  const answered = counts.reduce((sum, count) => sum + count, 0);
  return { answered, perSecond: answered / ((performance.now() - startMs) / 1_000) };
}
