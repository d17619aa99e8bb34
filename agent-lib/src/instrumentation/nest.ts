/**
 * Errors that the exception layer of NestJS 11 and 12 turns into answers before Express or Fastify see them. Names of
 * actions come from the framework below.
 */
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import type { Method } from "./patches.ts";

interface ArgumentsHost {
  getArgByIndex?(index: number): unknown;
}

export function instrumentNest({ libraries, patches, requests, log }: InstrumentationParts): void {
  const note = (error: unknown, host: ArgumentsHost | undefined): void => {
    const message = host?.getArgByIndex?.(0) as { readonly raw?: object } | null | undefined;
    // Fastify's request stands before Node's.
    const request = requests.of(message) ?? requests.of(message?.raw);
    if (request !== undefined) request.error ??= error;
  };
  const watch = (original: Method): Method =>
    function (this: unknown, ...args: unknown[]): unknown {
      try {
        note(args[0], args[1] as ArgumentsHost | undefined);
      } catch (error) {
        log.internalError("nest", error);
      }
      return original.apply(this, args);
    };
  const patch = (exports: unknown): void => {
    const { ExceptionsHandler } = exports as { ExceptionsHandler: { prototype: object } };
    patches.wrap(ExceptionsHandler.prototype, "next", watch);
  };
  // CommonJS up to Nest 11, an ES module since 12.
  libraries.onLoadModule("@nestjs/core", "index.js", "exceptions/exceptions-handler.js", patch);
}
