/** Runs the demo until Ctrl-C, SIGTERM or the end of the `apm up` that started it. */
import { startDemo } from "./demo.ts";

/** A shutdown that is slower than this is not waited for; the apps end when their channel to us does. */
const EXIT_AFTER_MS = 950;

const stopRequested = new Promise<void>((resolve) => {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => resolve());
  if (process.send) process.on("disconnect", () => resolve());
});

try {
  const starting = startDemo(process.env);
  const demo = await Promise.race([starting, stopRequested.then(() => null)]);
  if (demo === null) {
    setTimeout(() => process.exit(), EXIT_AFTER_MS).unref();
    await starting.then(
      (demo) => demo.stop(),
      () => {},
    );
  } else {
    if (process.send) process.send({ type: "ready", address: demo.shopUrl });
    else console.log(`demo-shop serves at ${demo.shopUrl}, visitors come by themselves; Ctrl-C ends it`);
    const failure = await Promise.race([demo.failed, stopRequested.then(() => null)]);
    setTimeout(() => process.exit(), EXIT_AFTER_MS).unref();
    await demo.stop();
    if (failure !== null) throw new Error(failure);
  }
} catch (error) {
  console.error(`the demo ended: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
// A channel to `apm up` that is still open must not hold the process.
process.exit();
