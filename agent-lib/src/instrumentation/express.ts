/**
 * Route templates of Express 4 and 5 (and of the router package that 5 is built on), with the mount paths of nested
 * routers: `app.use("/orgs/:org", router)` and `router.get("/users/:id")` give "/orgs/:org/users/:id".
 *
 * Layers do not keep the path they were registered with, so `use` and `route` note it on the layers they add. When a
 * layer runs, the template so far is kept at the open request; a layer that passes on takes its part back.
 */
import type { IncomingMessage } from "node:http";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import type { OpenRequests } from "./open-requests.ts";
import type { Method } from "./patches.ts";

const TEMPLATE = Symbol("apm-daemon template");
const PREFIX = Symbol("apm-daemon mount prefix");

interface Layer {
  route?: unknown;
  [TEMPLATE]?: string;
}
interface Router {
  stack: Layer[];
}
type Request = IncomingMessage & { [PREFIX]?: string };
type Next = (error?: unknown) => void;

export function instrumentExpress({ libraries, patches, requests }: InstrumentationParts): void {
  const patchRouter = (target: object): void => {
    patches.wrap(target, "use", noteTemplate);
    patches.wrap(target, "route", noteTemplate);
    patches.wrap(target, "handle", (original) => watchErrors(original, requests));
  };
  const patchLayer = (layer: unknown, run: string, fail: string): void => {
    const { prototype } = layer as { prototype: object };
    patches.wrap(prototype, run, (original) => followRoute(original, requests));
    patches.wrap(prototype, fail, (original) => noteError(original, requests));
  };
  libraries.onLoad("express/lib/router/index.js", (exports) => patchRouter(exports as object));
  libraries.onLoad("express/lib/router/layer.js", (exports) =>
    patchLayer(exports, "handle_request", "handle_error"),
  );
  libraries.onLoad("router/index.js", (exports) => patchRouter((exports as { prototype: object }).prototype));
  libraries.onLoad("router/lib/layer.js", (exports) => patchLayer(exports, "handleRequest", "handleError"));
}

/** `use(path?, …handlers)` and `route(path)`: the layers that the call adds get its path. */
function noteTemplate(original: Method): Method {
  return function (this: unknown, ...args: unknown[]): unknown {
    const { stack } = this as Router;
    const before = stack?.length ?? 0;
    const result = original.apply(this, args);
    const template = templateOf(args[0]);
    for (const layer of stack?.slice(before) ?? []) layer[TEMPLATE] = template;
    return result;
  };
}

/** "" for "/" and for calls without a path. */
function templateOf(path: unknown): string {
  if (path instanceof RegExp) return String(path);
  if (Array.isArray(path)) {
    const texts = path.flat(Infinity).filter((part) => typeof part === "string" || part instanceof RegExp);
    return texts.length === 0
      ? ""
      : texts.length === 1
        ? templateOf(texts[0])
        : `(${texts.map(String).join("|")})`;
  }
  if (typeof path !== "string" || path === "/") return "";
  const whole = path.startsWith("/") ? path : `/${path}`;
  return whole.endsWith("/") ? whole.slice(0, -1) : whole;
}

function followRoute(original: Method, requests: OpenRequests): Method {
  return function (this: unknown, ...args: unknown[]): unknown {
    const layer = this as Layer;
    const message = args[0] as Request;
    const template = layer[TEMPLATE];
    if (template === undefined || (template === "" && layer.route === undefined))
      return original.apply(this, args);
    const request = requests.of(message);
    if (request === undefined) return original.apply(this, args);
    const prefix = message[PREFIX] ?? "";
    const route = request.route;
    const whole = prefix + template;
    // Middleware with a path may answer by itself: its path then is the route.
    request.route = whole === "" ? "/" : whole;
    if (layer.route === undefined) message[PREFIX] = whole;
    const next = args[2] as Next;
    const passOn: Next = (error) => {
      message[PREFIX] = prefix;
      if (error === undefined || error === null || error === "route" || error === "router")
        request.route = route;
      else request.error ??= error;
      next(error);
    };
    return original.call(this, message, args[1], passOn);
  };
}

function noteError(original: Method, requests: OpenRequests): Method {
  return function (this: unknown, ...args: unknown[]): unknown {
    const request = requests.of(args[1] as object);
    if (request !== undefined) request.error ??= args[0];
    return original.apply(this, args);
  };
}

/** An error that leaves a router was not handled in it. */
function watchErrors(original: Method, requests: OpenRequests): Method {
  return function (this: unknown, ...args: unknown[]): unknown {
    const done = args[2];
    if (typeof done !== "function") return original.apply(this, args);
    const watched: Next = (error) => {
      if (error !== undefined && error !== null && error !== "router") {
        const request = requests.of(args[0] as object);
        if (request !== undefined) request.error ??= error;
      }
      done(error);
    };
    return original.call(this, args[0], args[1], watched);
  };
}
