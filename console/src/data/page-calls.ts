/** One controller for all that the shown page asks: leaving the page ends what is still on its way. */
let current = new AbortController();

/** Ends when the page is left, or with the signal of one's own. */
export function untilPageLeft(own: AbortSignal): AbortSignal {
  return AbortSignal.any([own, current.signal]);
}

/** The page is left: nobody waits any longer for what it asked. */
export function leavePage(): void {
  current.abort();
  current = new AbortController();
}
