// Asks an app everything its list has, over plain sockets, and prints the answers byte for byte.
// Arguments: the app's file, the file that loads its libraries.
import { once } from "node:events";
import { connect } from "node:net";

const [, , appFile, loadFile] = process.argv;
const { imported } = await import(loadFile);
const { make, asked } = await import(appFile);
const { server, facts } = await make(imported);
server.listen(0, "127.0.0.1");
await once(server, "listening");
for (const [line, headers = {}, body = ""] of asked) {
  const all = { Host: "shop.test", Connection: "close", ...headers };
  if (body !== "") all["Content-Length"] = Buffer.byteLength(body);
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = connect(server.address().port, "127.0.0.1");
  socket.write(`${line} HTTP/1.1\r\n${head.join("")}\r\n${body}`);
  const chunks = [];
  for await (const chunk of socket) chunks.push(chunk);
  const answer = Buffer.concat(chunks).toString("latin1");
  console.log(`> ${line}\n${answer.replace(/^Date: .*$/im, "Date: …")}\n`);
}
console.log(JSON.stringify(facts(), null, 1));
server.close();
