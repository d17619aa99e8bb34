import { EventEmitter, on } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { TopReport } from "@apm-daemon/protocol";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { stopRequest } from "../commands/stop-request.ts";
import { Keyboard } from "../terminal/keyboard.ts";
import { LiveScreen } from "../terminal/live-screen.ts";
import { paintFor } from "../terminal/paint.ts";
import { safeText } from "../terminal/safe-text.ts";
import { topPage } from "./top-page.ts";
import { FIRST_VIEW, type TopView, viewAfter } from "./top-view.ts";

export interface WatchedTop {
  first: TopReport;
  ask: () => Promise<TopReport>;
  /** A line of JSON each second instead of a page. */
  json: boolean;
}

type TopEvent =
  | { kind: "answer"; report: TopReport }
  | { kind: "silence"; error: CliError }
  | { kind: "key"; key: string }
  | { kind: "resize" }
  | { kind: "continued" };

const EVERY_MS = 1_000;
const PIPE_COLUMNS = 120;
const TERMINAL_ROWS = 24;

/**
 * Draws anew with each answer, key and change of the terminal's size, until a key or a signal ends it; the exit code is that of the
 * last question. Whatever happens is an event of one loop, so that whatever it throws finds the terminal given back.
 */
export async function watchTop(context: CliContext, watched: WatchedTop): Promise<number> {
  const stop = new AbortController();
  const events = new EventEmitter();
  const tell = (event: TopEvent): void => void events.emit("event", event);
  const screen = new LiveScreen(context.stdout);
  const keyboard = new Keyboard(context.stdin, (key) => tell({ kind: "key", key }));
  const giveBack = (): void => {
    keyboard.close();
    screen.close();
  };
  void stopRequest(context, giveBack).then(() => stop.abort());
  context.signals.on("SIGWINCH", () => tell({ kind: "resize" }));
  context.signals.on("SIGCONT", () => tell({ kind: "continued" }));
  const inbox = on(events, "event", { signal: stop.signal });
  const isLive = !watched.json && context.stdout.isTTY === true;
  try {
    if (isLive) keyboard.open();
    void askAgain(watched.ask, tell, stop.signal).catch((error: unknown) => events.emit("error", error));
    return await followEvents(context, watched, {
      inbox,
      screen,
      keyboard,
      hasKeys: isLive && keyboard.isPresent,
    });
  } finally {
    stop.abort();
    giveBack();
  }
}

interface Followed {
  inbox: AsyncIterator<unknown[]>;
  screen: LiveScreen;
  keyboard: Keyboard;
  hasKeys: boolean;
}

async function followEvents(context: CliContext, watched: WatchedTop, followed: Followed): Promise<number> {
  const { inbox, screen, keyboard, hasKeys } = followed;
  let view: TopView | null = FIRST_VIEW;
  let report = watched.first;
  let silence: CliError | null = null;
  for (let event: TopEvent | null = { kind: "answer", report }; ; event = await next(inbox)) {
    if (event === null) return silence?.exitCode ?? 0;
    if (event.kind === "key") view = viewAfter(view, event.key);
    else if (event.kind === "silence") silence = event.error;
    else if (event.kind === "answer") [report, silence] = [event.report, null];
    else if (event.kind === "continued" && hasKeys) {
      // Whoever stopped us gave the terminal to somebody else meanwhile.
      keyboard.close();
      screen.close();
      keyboard.open();
    }
    if (view === null) return silence?.exitCode ?? 0;
    if (watched.json) writeJson(context, event);
    else screen.draw(livePage(context, report, view, silence, hasKeys));
  }
}

/** The next event; null when the end is asked for. */
async function next(inbox: AsyncIterator<unknown[]>): Promise<TopEvent | null> {
  try {
    const { value } = (await inbox.next()) as { value: [TopEvent] };
    return value[0];
  } catch (error) {
    if ((error as Error).name === "AbortError") return null;
    throw error;
  }
}

/** Each second, whatever becomes of it. Rejects on bugs. */
async function askAgain(
  ask: WatchedTop["ask"],
  tell: (event: TopEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await delay(EVERY_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    try {
      tell({ kind: "answer", report: await ask() });
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      tell({ kind: "silence", error });
    }
  }
}

function writeJson({ stdout, stderr }: CliContext, event: TopEvent): void {
  if (event.kind === "answer") stdout.write(`${JSON.stringify(event.report)}\n`);
  else if (event.kind === "silence") stderr.write(`apm: ${event.error.message}\n`);
}

function livePage(
  { stdout, env }: CliContext,
  report: TopReport,
  view: TopView,
  silence: CliError | null,
  hasKeys: boolean,
): string {
  return topPage({
    report,
    view,
    columns: stdout.columns ?? PIPE_COLUMNS,
    // The last line stays free: writing it would scroll.
    rows: stdout.isTTY ? (stdout.rows ?? TERMINAL_ROWS) - 1 : Number.POSITIVE_INFINITY,
    paint: paintFor(stdout, env),
    hasKeys,
    trouble: silence === null ? "" : `asking again each second: ${safeText(silence.message)}`,
  });
}
