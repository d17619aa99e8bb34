/** Names of the design's colours that charts use; each is a custom property of the style sheet. */
export type ColorName =
  | "code"
  | "database"
  | "cache"
  | "external"
  | "queue"
  | "status-2xx"
  | "status-3xx"
  | "status-4xx"
  | "status-5xx"
  | "accent"
  | "text-3";

/** The ramp of counts, from few to many. */
export type HeatColor = `heat-${0 | 1 | 2 | 3 | 4 | 5 | 6}`;

/** Everything that a canvas needs in CSS colours; custom properties mean nothing to it. */
export type Palette = (
  name: ColorName | HeatColor | "surface" | "line" | "inset" | "control" | "text-2",
) => string;

/** Resolves custom properties with the theme in force; create a new one after the theme changes. */
export function currentPalette(): Palette {
  const probe = document.createElement("span");
  const resolved = new Map<string, string>();
  return (name) => {
    const known = resolved.get(name);
    if (known !== undefined) return known;
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const color = getComputedStyle(probe).color;
    probe.remove();
    resolved.set(name, color);
    return color;
  };
}

/** Canvas text ignores the page's fallbacks, so the whole list is named. */
export const AXIS_FONT =
  '11px "Inter Variable", system-ui, -apple-system, "Segoe UI", Roboto, "PingFang SC", "Microsoft YaHei", "Noto Sans SC", sans-serif';
