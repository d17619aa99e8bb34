import { signal } from "@preact/signals";

/** The app that the page shows where its address does not name it; null while there is none. */
export const shownApp = signal<string | null>(null);
