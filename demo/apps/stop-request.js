/** For what is written already; the agent takes a while itself to hand over what it has. */
const EXIT_WITHIN_MS = 150;

/** Resolves when this app is to end: asked by a signal, or because the demo that started it is gone. What then holds it is not waited for. */
export const stopRequest = new Promise((resolve) => {
  process.once("SIGTERM", resolve);
  process.once("disconnect", resolve);
  if (process.send && !process.connected) resolve();
});

void stopRequest.then(() => setTimeout(() => process.exit(), EXIT_WITHIN_MS).unref());
