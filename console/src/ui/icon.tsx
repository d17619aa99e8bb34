import type { JSX } from "preact";

const PATHS = {
  home: "M3 9.5 10 3.5l7 6V16a1 1 0 0 1-1 1h-3.5v-4.5h-5V17H4a1 1 0 0 1-1-1z",
  apps: "M3.5 3.5h5v5h-5zM11.5 3.5h5v5h-5zM3.5 11.5h5v5h-5zM11.5 11.5h5v5h-5z",
  hosts: "M3 4h14v5H3zM3 11h14v5H3zM6 6.5h.01M6 13.5h.01",
  settings: "M3 6h8M15 6h2M3 14h2M9 14h8M13 4v4M7 12v4",
  map: "M10 7.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4M4.5 16.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4M15.5 16.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4M9 7.3l-3.5 5.4M11 7.3l3.5 5.4",
  left: "M12 5l-5 5 5 5",
  right: "M8 5l5 5-5 5",
  link: "M8.5 11.5a3.2 3.2 0 0 0 4.6.2l2.3-2.3a3.2 3.2 0 0 0-4.6-4.6l-1 1M11.5 8.5a3.2 3.2 0 0 0-4.6-.2l-2.3 2.3a3.2 3.2 0 0 0 4.6 4.6l1-1",
  help: "M7.6 7.6a2.5 2.5 0 1 1 3.6 2.3c-.8.4-1.2.9-1.2 1.8M10 14.5h.01",
  table: "M3.5 4.5h13v11h-13zM3.5 8.5h13M3.5 12h13M8.5 8.5v7",
  theme: "M10 3.5a6.5 6.5 0 1 0 0 13zM10 3.5a6.5 6.5 0 0 1 0 13",
} as const;

export type IconName = keyof typeof PATHS;

/** A line icon; the text beside it, or its button's label, says what it means. */
export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
