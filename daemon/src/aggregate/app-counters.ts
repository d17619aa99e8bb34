import type { CounterRow } from "@apm-daemon/protocol";
import { labelUs } from "./label-time.ts";
import { WINDOW_SEC } from "./window.ts";

/** Names kept of one app in one window. */
const MAX_NAMES = 200;

/** What apps count themselves, by window, app and name. */
export class AppCounters {
  readonly #windows = new Map<string, { tsSec: number; app: string; amounts: Map<string, number> }>();

  get heldRows(): number {
    let rows = 0;
    for (const { amounts } of this.#windows.values()) rows += amounts.size;
    return rows;
  }

  add(app: string, unixMs: number, receivedUnixMs: number, counters: Readonly<Record<string, number>>): void {
    const tsSec = Math.floor(labelUs(unixMs * 1_000, receivedUnixMs) / 1e6 / WINDOW_SEC) * WINDOW_SEC;
    const key = `${tsSec} ${app}`;
    let window = this.#windows.get(key);
    if (window === undefined) {
      window = { tsSec, app, amounts: new Map() };
      this.#windows.set(key, window);
    }
    const { amounts } = window;
    for (const [name, amount] of Object.entries(counters)) {
      const shown = amounts.has(name) || amounts.size < MAX_NAMES ? name : "(other)";
      amounts.set(shown, Math.min((amounts.get(shown) ?? 0) + amount, Number.MAX_VALUE));
    }
  }

  rows(): CounterRow[] {
    return [...this.#windows.values()].flatMap(({ tsSec, app, amounts }) =>
      [...amounts].map(([name, amount]) => ({ tsSec, app, name, amount })),
    );
  }

  clear(): void {
    this.#windows.clear();
  }
}
