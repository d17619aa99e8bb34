import { constants } from "node:os";
import type { CliContext } from "../cli-context.ts";

const STOP_SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

export type StopSignal = (typeof STOP_SIGNALS)[number];
/** Of a service, which reloads its configuration at SIGHUP. */
export const SERVICE_STOP_SIGNALS: readonly StopSignal[] = ["SIGTERM", "SIGINT"];

/** Exit code of a process that ended by a signal, as shells have it. */
export function signalExitCode(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/**
 * Resolves at the first signal that asks to stop, or when `apm up` is gone. A second signal ends the process at once,
 * after `beforeExit`. `signals` are those that ask for it.
 */
export function stopRequest(
  context: Pick<CliContext, "signals" | "parent" | "exitAtOnce">,
  beforeExit: () => void = () => {},
  signals: readonly StopSignal[] = STOP_SIGNALS,
): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false;
    const stop = (): void => {
      isStopping = true;
      resolve();
    };
    for (const signal of signals) {
      context.signals.on(signal, () => {
        if (!isStopping) return stop();
        beforeExit();
        context.exitAtOnce(signalExitCode(signal));
      });
    }
    context.parent?.onGone(stop);
  });
}
