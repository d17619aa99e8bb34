/** Invented answers of the settings page and of the ledgers; what is changed is forgotten with the server. */
const settings = {
  revision: "r1",
  all: { apdexTMs: 500 },
  apps: [{ app: "billing", settings: { apdexTMs: 300 } }],
  retention: {
    days: 2,
    minutes_days: 30,
    hours_days: 400,
    traces_days: 3,
    sampled_traces_days: 30,
    records_days: 30,
  },
};
const keys = [{ id: "k1", name: "web", createdUnixMs: 1_790_000_000_000, ending: "q7xz" }];

/** Calls that change something. Null for what is none of them. */
export function changed(method, [area, name, app], body) {
  if (area === "settings" && name === "all" && method === "PUT") settings.all = body;
  else if (area === "settings" && name === "apps") {
    settings.apps = settings.apps.filter((row) => row.app !== app);
    if (method === "PUT") settings.apps.push({ app, settings: body });
  } else if (area === "keys" && method === "POST") {
    const key = { id: `k${keys.length + 1}`, name: body.name, createdUnixMs: Date.now(), ending: "0000" };
    keys.push(key);
    return { ...key, key: "apm_invented-for-the-look-of-it-0000" };
  } else if (area === "keys" && method === "DELETE") {
    const [revoked] = keys.splice(
      keys.findIndex(({ id }) => id === name),
      1,
    );
    return revoked;
  } else return null;
  return settings;
}

export function settingsAnswer() {
  return settings;
}

export function keysAnswer() {
  return { keys };
}

export function fleet(range, nowMs) {
  const daemon = (host, address, version, state) => ({
    host,
    stream: `stream-of-${host}`,
    daemonVersion: version,
    nodeVersion: "20.20.2",
    address,
    key: "web",
    connectedUnixMs: nowMs - 7_200_000,
    settings: state,
  });
  const agent = (app, agentVersion, processes, hosts) => ({
    app,
    agentVersion,
    runtime: "node 20.20.2",
    processes,
    hosts,
  });
  return {
    ...range,
    daemons: [
      daemon("web-1", "10.0.0.11", "0.2.0", "applied"),
      daemon("web-2", "10.0.0.12", "0.2.0", "pending"),
      daemon("db-1", "10.0.0.21", "0.1.0", "too_old"),
    ],
    agents: [agent("shop", "0.2.0", 6, 2), agent("billing", "0.1.0", 1, 1)],
  };
}

export function completeness(range, whole) {
  return {
    ...range,
    apps: [
      { app: "shop", completeness: whole },
      {
        app: "billing",
        completeness: { created: 9_100, stored: 9_100, dropped: {}, inFlight: 12, ratio: 1 },
      },
    ],
    more: 0,
  };
}

export function appLedger(app, range, whole) {
  const losses = Object.entries(whole.dropped).map(([reason, spans]) => ({
    host: "web-2",
    reason,
    spans,
    firstUnixMs: range.from + 60_000,
    lastUnixMs: range.to - 60_000,
  }));
  return { app, ...range, completeness: whole, hosts: [{ host: "web-2", ...whole }], losses };
}

export function hostLedger(host, range) {
  const seconds = (range.to - range.from) / 1000;
  const missing = 120;
  return {
    host,
    ...range,
    completeness: {
      created: seconds,
      stored: seconds - missing,
      dropped: { not_sampled: missing },
      inFlight: 0,
      ratio: 1 - missing / seconds,
    },
    gaps: [{ fromUnixMs: range.from + 60_000, toUnixMs: range.from + 60_000 + missing * 1000 }],
  };
}

/** The last seconds of a host after `after`, for pages that are live. */
export function liveSeconds(host, after, nowMs, secondOf) {
  const now = Math.floor(nowMs / 1000);
  const first = Math.max(after + 1, now - 20);
  const seconds = Array.from({ length: Math.max(0, now - first) }, (_, i) => ({
    tsSec: first + i,
    values: secondOf((first + i) * 1000),
  }));
  return { host, state: "live", version: "0.2.0", seconds };
}
