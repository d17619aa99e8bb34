import { computed, signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { withSecond } from "../data/live-columns.ts";
import type { LiveSecond, LiveState, LiveTopic } from "../data/live-feed.ts";
import { changedLink, navigate, search } from "./location.ts";
import { refreshNow } from "./refresh.ts";

/** The button that `l` presses, on pages that can be live. */
export const LIVE_BUTTON_ID = "live";

/** Whether the page shows each second as it comes. */
export const isLiveMode = computed(() => search.value.get("live") === "1");

const STORED_GAP_MS = 5000;

/** What is known of the hosts that are watched, by name. */
export const liveStates = signal<Readonly<Record<string, LiveState>>>({});
/** The WebSocket does not get through. */
export const isLivePolling = signal(false);

/** Live mode shows the last five minutes, by the second; leaving it keeps them. */
export function toggleLive(): void {
  navigate(changedLink(isLiveMode.value ? { live: null } : { live: "1", from: "now-5m", to: "now" }));
}

/** The seconds of the topic that came since live mode began, at most five minutes; none outside of live mode. */
export function useLiveSeconds(topic: LiveTopic): readonly LiveSecond[] {
  const [seconds, setSeconds] = useState<readonly LiveSecond[]>([]);
  const isOn = isLiveMode.value;
  const key = JSON.stringify(topic);
  useEffect(() => {
    if (!isOn) return undefined;
    let leave: (() => void) | null = null;
    let isLeft = false;
    liveStates.value = {};
    isLivePolling.value = false;
    let storedMs = Number.NEGATIVE_INFINITY;
    const stored = (): void => {
      // An app on many hosts has a window stored every moment; the others come with the next round.
      if (performance.now() - storedMs < STORED_GAP_MS) return;
      storedMs = performance.now();
      refreshNow();
    };
    const follow = async (): Promise<void> => {
      const { followLive } = await import("../data/live-feed.ts");
      if (isLeft) return;
      leave = followLive(topic, {
        second: (second) => setSeconds((before) => withSecond(before, second)),
        state: (state) => {
          liveStates.value = { ...liveStates.value, [state.host]: state };
        },
        stored,
        polling: (isPolling) => {
          isLivePolling.value = isPolling;
        },
      });
    };
    void follow();
    return () => {
      isLeft = true;
      leave?.();
      setSeconds([]);
    };
  }, [key, isOn]);
  return seconds;
}
