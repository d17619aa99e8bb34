// Loaded before the agent: remembers every socket that this process opens, to see what waits in Node's memory for them.
import { subscribe } from "node:diagnostics_channel";

globalThis.clientSockets = [];
subscribe("net.client.socket", ({ socket }) => globalThis.clientSockets.push(socket));
