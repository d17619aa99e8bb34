import type { LiveRequests } from "@apm-daemon/protocol";
import type { LiveHosts, LiveState } from "./live-hosts.ts";

/** What somebody watches: one host, or one app on all of its hosts. */
export type LiveTopic = { host: string } | { app: string };

/** A second as browsers get it: of a host its numbers, of an app the requests of one of its hosts. */
export type ShownSecond =
  | { host: string; tsSec: number; values: Record<string, number | null> }
  | ({ host: string; tsSec: number } & Omit<LiveRequests, "app">);

export type LiveMessage =
  | ({ type: "state" } & LiveState)
  | ({ type: "second" } & ShownSecond)
  /** A window is stored: what is shown of it can be asked for now. */
  | { type: "stored" };

/** An app on more hosts is watched on the first of them. */
export const MAX_LIVE_HOSTS = 50;

export interface TopicOptions {
  liveHosts: LiveHosts;
  /** Hosts on which an app was seen lately. */
  hostsOf: (app: string) => Promise<string[]>;
}

/** Watches a topic until the answer is called. Rejects with StoreError when the app's hosts cannot be told. */
export async function watchTopic(
  { liveHosts, hostsOf }: TopicOptions,
  topic: LiveTopic,
  tell: (message: LiveMessage) => void,
): Promise<() => void> {
  const app = "app" in topic ? topic.app : null;
  const hosts = "app" in topic ? (await hostsOf(topic.app)).slice(0, MAX_LIVE_HOSTS) : [topic.host];
  const leaves = hosts.map((name) =>
    liveHosts.watch(name, {
      second: (host, { tsSec, values, apps }) => {
        if (app === null) return tell({ type: "second", host, tsSec, values });
        const { requests, errors, sumUs } = requestsOf(apps, app);
        tell({ type: "second", host, tsSec, requests, errors, sumUs });
      },
      state: (state) => tell({ type: "state", ...state }),
      stored: (_host, apps) => {
        if (app === null || apps.has(app)) tell({ type: "stored" });
      },
    }),
  );
  return () => {
    for (const leave of leaves) leave();
  };
}

/** A host that counted no request of the app in a second counted zero of them. */
function requestsOf(apps: readonly LiveRequests[], app: string): LiveRequests {
  return apps.find((one) => one.app === app) ?? { app, requests: 0, errors: 0, sumUs: 0 };
}
