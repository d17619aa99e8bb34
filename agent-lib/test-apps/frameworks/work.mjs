// What the handlers of all apps of this folder do.
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { trace } from "@opentelemetry/api";

/** Waits, and leaves a span that says for which request. */
export async function work(path) {
  await sleep(Math.random() * 5);
  trace.getTracer("app").startSpan("leaf").setAttribute("path", path).end();
}

export const boom = () => {
  throw new RangeError("too far");
};

export const laterBoom = async () => {
  await sleep(1);
  throw new RangeError("too far");
};

export function refused() {
  return Object.assign(new Error("not yours"), { status: 403, statusCode: 403 });
}

/** Three parts, each with a span of its own. */
export const parts = (path) =>
  Readable.from(
    (async function* () {
      for (const part of ["a", "b", "c"]) {
        await work(path);
        yield Buffer.from(part);
      }
    })(),
  );
