/** Route templates and errors of Fastify 4 and 5, by hooks that are added to each instance as it is made. */
import type { IncomingMessage } from "node:http";
import type { InstrumentationParts } from "./instrumentation-parts.ts";

interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly routeOptions?: { readonly url?: string };
  readonly routerPath?: string;
}
interface Fastify {
  addHook(
    name: "onRequest",
    hook: (request: FastifyRequest, reply: unknown, done: () => void) => void,
  ): unknown;
  addHook(
    name: "onError",
    hook: (request: FastifyRequest, reply: unknown, error: unknown, done: () => void) => void,
  ): unknown;
}

export function instrumentFastify({ patches, requests, log }: InstrumentationParts): void {
  patches.subscribe("fastify.initialization", ({ fastify }: { fastify: Fastify }) => {
    try {
      fastify.addHook("onRequest", (request, _reply, done) => {
        const open = requests.of(request.raw);
        // Fastify 4 before 4.10 knows the template as routerPath only.
        if (open !== undefined)
          open.route = request.routeOptions?.url ?? (request.routeOptions ? "" : (request.routerPath ?? ""));
        done();
      });
      fastify.addHook("onError", (request, _reply, error, done) => {
        const open = requests.of(request.raw);
        if (open !== undefined) open.error ??= error;
        done();
      });
    } catch (error) {
      log.internalError("fastify", error);
    }
  });
}
