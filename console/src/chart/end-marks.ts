import { signal } from "@preact/signals";

/** Moments that all charts of the page mark, Unix ms: ends of the app's processes. */
export const endMarks = signal<readonly number[]>([]);
