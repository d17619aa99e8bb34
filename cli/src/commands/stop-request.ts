import { constants } from "node:os";
import type { CliContext } from "../cli-context.ts";

const STOP_SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** Exit code of a process that ended by a signal, as shells have it. */
export function signalExitCode(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/**
 * Resolves at the first signal that asks to stop, or when `apm up` is gone. A second signal ends the process at once,
 * after `beforeExit`.
 */
export function stopRequest(
  context: Pick<CliContext, "signals" | "parent" | "exitAtOnce">,
  beforeExit: () => void = () => {},
): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false;
    const stop = (): void => {
      isStopping = true;
      resolve();
    };
    for (const signal of STOP_SIGNALS) {
      context.signals.on(signal, () => {
        if (!isStopping) return stop();
        beforeExit();
        context.exitAtOnce(signalExitCode(signal));
      });
    }
    context.parent?.onGone(stop);
  });
}
