import { link } from "../../app/location.ts";
import type { Crumb } from "../../app/page-frame.tsx";
import { selectionLink } from "./selection.ts";

/** The way to a page of an app; with something selected on it, back to the page without that. */
export function selectionCrumbs(app: string, page: string, isSelected: boolean): Crumb[] {
  const toApp = { label: app, href: link({ page: "app", app }) };
  return isSelected ? [toApp, { label: page, href: selectionLink(null) }] : [toApp];
}
