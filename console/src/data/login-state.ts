import { signal } from "@preact/signals";

/** What the collector wrote into the page: "needed", "in" for who is logged in, nothing where nobody must. */
const written = document.documentElement.dataset["login"];

/** Whether the log-in page stands in for every other. */
export const isLoginNeeded = signal(written === "needed");
/** Whether there is a session to end. */
export const isLoggedIn: boolean = written === "in";
