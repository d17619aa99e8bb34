/**
 * Route templates and errors of Koa 2 and 3. Koa itself has no routes: @koa/router keeps the template it matched at the
 * context, where it is read when the request ends. So the router, an ES module in its newer releases, needs no patch.
 */
import type { InstrumentationParts } from "./instrumentation-parts.ts";

interface KoaContext {
  readonly req: object;
  readonly _matchedRoute?: unknown;
}

export function instrumentKoa({ libraries, patches, requests }: InstrumentationParts): void {
  libraries.onLoad("koa/lib/application.js", (exports) => {
    const { prototype } = exports as { prototype: object };
    patches.wrap(prototype, "createContext", (original) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        const context = original.apply(this, args) as KoaContext;
        const request = requests.of(args[0] as object);
        if (request !== undefined) request.findRoute = () => templateOf(context._matchedRoute);
        return context;
      };
    });
    // Koa's own handler emits what it caught, and apps with a handler of their own are told to do the same.
    patches.wrap(prototype, "emit", (original) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        if (args[0] === "error") {
          const request = requests.of((args[2] as KoaContext | null | undefined)?.req);
          if (request !== undefined) request.error ??= args[1];
        }
        return original.apply(this, args);
      };
    });
  });
}

function templateOf(route: unknown): string {
  return typeof route === "string" || route instanceof RegExp ? String(route) : "";
}
