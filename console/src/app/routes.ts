/** Pages of an app that its name and their own say all of. */
export const APP_SECTIONS = ["databases", "caches", "external", "errors", "traces"] as const;
export type AppSection = (typeof APP_SECTIONS)[number];

/** A page of the console with the names that its path carries. */
export type Route =
  | { page: "home" }
  | { page: "apps" }
  | { page: "app"; app: string }
  | { page: "actions"; app: string }
  | { page: "action"; app: string; action: string }
  | { page: AppSection; app: string }
  | { page: "trace"; traceId: string }
  | { page: "map" }
  | { page: "hosts" }
  | { page: "host"; host: string }
  | { page: "settings" }
  | { page: "unknown" };

const ANY = "*";
/** Every page that a path can name, of anything. */
export const PAGES: readonly Exclude<Route, { page: "unknown" }>[] = [
  { page: "home" },
  { page: "apps" },
  { page: "app", app: ANY },
  { page: "actions", app: ANY },
  { page: "action", app: ANY, action: ANY },
  ...APP_SECTIONS.map((page) => ({ page, app: ANY })),
  { page: "trace", traceId: ANY },
  { page: "map" },
  { page: "hosts" },
  { page: "host", host: ANY },
  { page: "settings" },
];

/** The page of a path as `location.pathname` has it (still percent-encoded). */
export function parseRoute(pathname: string): Route {
  const parts = decodeParts(pathname);
  if (parts === null) return { page: "unknown" };
  const [area, name, section, detail] = parts;
  if (area === undefined) return { page: "home" };
  if (area === "apps") return appRoute(parts.length, name, section, detail);
  if (area === "settings" && parts.length === 1) return { page: "settings" };
  if (area === "traces" && name !== undefined && parts.length === 2) return { page: "trace", traceId: name };
  if (area === "map" && parts.length === 1) return { page: "map" };
  if (area === "hosts" && parts.length === 1) return { page: "hosts" };
  if (area === "hosts" && name !== undefined && parts.length === 2) return { page: "host", host: name };
  return { page: "unknown" };
}

function appRoute(length: number, app?: string, section?: string, detail?: string): Route {
  if (app === undefined) return { page: "apps" };
  if (section === undefined) return { page: "app", app };
  if (section === "actions" && length === 3) return { page: "actions", app };
  if (section === "actions" && length === 4 && detail !== undefined)
    return { page: "action", app, action: detail };
  const page = APP_SECTIONS.find((one) => one === section);
  if (page !== undefined && length === 3) return { page, app };
  return { page: "unknown" };
}

function decodeParts(pathname: string): string[] | null {
  try {
    return pathname
      .split("/")
      .filter((part) => part !== "")
      .map(decodeURIComponent);
  } catch {
    return null; // a broken percent sequence names nothing
  }
}

/** The path of a page, every name percent-encoded. */
export function routePath(route: Exclude<Route, { page: "unknown" }>): string {
  const parts = ["", ...partsOf(route)].map(encodeURIComponent);
  return parts.length === 1 ? "/" : parts.join("/");
}

function partsOf(route: Exclude<Route, { page: "unknown" }>): string[] {
  if (route.page === "home") return [];
  if (route.page === "trace") return ["traces", route.traceId];
  if (route.page === "host") return ["hosts", route.host];
  if (!("app" in route)) return [route.page];
  if (route.page === "app") return ["apps", route.app];
  if (route.page === "action") return ["apps", route.app, "actions", route.action];
  return ["apps", route.app, route.page];
}
