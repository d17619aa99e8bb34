/**
 * Route templates and errors of Hono 4 on Node.
 *
 * Hono keeps its routes in private fields; what can be reached are its routers, to which each handler is added with its
 * template. The handlers are wrapped there: one that runs tells the open request its template, one that passes on takes
 * it back. Hono is published twice, as CommonJS and as ES modules; see es-module-preload.ts for how the latter are reached.
 */
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import type { OpenRequest } from "./open-requests.ts";
import type { Method } from "./patches.ts";

interface HonoContext {
  readonly error?: unknown;
  /** As @hono/node-server sets it. */
  readonly env?: { readonly incoming?: object } | null;
}
interface Route {
  readonly method: string;
  readonly path: string;
}
type Handler = (this: unknown, context: HonoContext, next: () => unknown, ...rest: unknown[]) => unknown;

const ROUTERS = ["smart-router", "reg-exp-router", "trie-router", "linear-router", "pattern-router"];

export function instrumentHono(parts: InstrumentationParts): void {
  const { libraries, patches } = parts;
  const followed = new WeakSet<Handler>();
  const patch = (exports: unknown): void => {
    for (const router of Object.values(exports as Record<string, { prototype?: object }>))
      if (router.prototype !== undefined)
        patches.wrap(router.prototype, "add", (original) => followAdded(original, followed, parts));
  };
  for (const router of ROUTERS) {
    libraries.onLoad(`hono/dist/cjs/router/${router}/router.js`, patch);
    libraries.onLoadModule("hono", "dist/index.js", `dist/router/${router}/router.js`, patch);
  }
}

/** `add(method, path, [handler, route])`; routers are also of use to others, who add whatever they like. */
function followAdded(original: Method, followed: WeakSet<Handler>, parts: InstrumentationParts): Method {
  return function (this: unknown, ...args: unknown[]): unknown {
    const added = args[2];
    if (Array.isArray(added) && typeof added[0] === "function" && typeof added[1]?.path === "string") {
      const [handler, route, ...rest] = added as [Handler, Route];
      // The smart router adds its routes once more, to the router it chooses.
      if (!followed.has(handler)) {
        const follower = follow(handler, templateOf(route), parts);
        followed.add(follower);
        return original.call(this, args[0], args[1], [follower, route, ...rest], ...args.slice(3));
      }
    }
    return original.apply(this, args);
  };
}

/** "" for middleware of the whole app, which is no route although it may answer. */
function templateOf({ method, path }: Route): string {
  return method === "ALL" && path === "/*" ? "" : path;
}

function follow(handler: Handler, template: string, { requests, storage }: InstrumentationParts): Handler {
  const requestOf = (context: HonoContext): OpenRequest | undefined => {
    const request = requests.of(context.env?.incoming);
    if (request !== undefined) return request;
    // The app calls fetch by itself, with an environment of its own.
    const active = storage.getStore();
    return active === undefined ? undefined : requests.inContext(active);
  };
  const follower: Handler = function (context, next, ...rest) {
    const request = requestOf(context);
    if (request === undefined) return handler.call(this, context, next, ...rest);
    const outer = request.route;
    if (template !== "") request.route = outer.endsWith("/*") ? outer.slice(0, -2) + template : template;
    const passOn = (): unknown => {
      request.route = outer;
      return next();
    };
    try {
      const result = handler.call(this, context, passOn, ...rest);
      if (result instanceof Promise) watch(result, context, request);
      return result;
    } catch (error) {
      request.error ??= error;
      throw error;
    }
  };
  Object.defineProperty(follower, "name", { value: handler.name, configurable: true });
  Object.defineProperty(follower, "length", { value: handler.length, configurable: true });
  return follower;
}

/** A nested app with an error handler of its own lets nothing out, but leaves the error at the context. */
function watch(result: Promise<unknown>, context: HonoContext, request: OpenRequest): void {
  result.then(
    () => {
      request.error ??= context.error;
    },
    (error: unknown) => {
      request.error ??= error;
    },
  );
}
