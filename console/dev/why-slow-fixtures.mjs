/** Invented answers of the calls that say why requests were slow; `noise` and `trouble` are those of the other answers. */
const LANE = [
  ["cpuUserRatio", 0.3, 0.2],
  ["cpuSystemRatio", 0.08, 0.1],
  ["cpuIowaitRatio", 0.02, 0.05],
  ["cpuStealRatio", 0.01, 0.38],
  ["psiCpuSomeRatio", 0.03, 0.6],
  ["psiIoSomeRatio", 0.01, 0.1],
  ["procsRunnable", 2, 9],
];

export function hostLane(host, range, { noise, trouble }) {
  const count = Math.min(300, Math.ceil((range.to - range.from) / 1000));
  const column = (quiet, bad, seed) =>
    Array.from({ length: count }, (_, i) => {
      const ms = range.from + i * 1000;
      return (quiet + bad * trouble(ms)) * (0.9 + 0.2 * noise(Math.floor(ms / 1000), seed));
    });
  return {
    host,
    ...range,
    t0: range.from,
    stepMs: 1000,
    cols: Object.fromEntries(LANE.map(([name, quiet, bad], seed) => [name, column(quiet, bad, seed)])),
    process: {
      app: "shop",
      pid: 1411,
      cols: {
        cpuRatio: column(0.6, 0.2, 11),
        eventLoopDelayP99Ms: column(12, 180, 12),
        gcPauseMs: column(20, 10, 13),
      },
    },
    busiest: [
      { from: range.from, to: range.to, pid: 900, user: "root", command: "backup --all", cpuRatio: 0.9 },
    ],
  };
}

export function rank(range) {
  return { ...range, requests: 21_400, faster: 21_100, alike: 20, slower: 280, fasterShare: 0.986 };
}

export function heatmap(app, range, { noise, trouble, isLost }) {
  const columns = 120;
  const stepMs = Math.ceil((range.to - range.from) / columns / 10_000) * 10_000;
  const edge = (row) => 4 * 2 ** (row / 4);
  const rows = Array.from({ length: 40 }, (_, row) => ({ fromMs: edge(row), toMs: edge(row + 1) }));
  rows.push({ fromMs: edge(40), toMs: null });
  const cells = { column: [], row: [], requests: [] };
  const reported = [];
  for (let column = 0; column < columns; column++) {
    const ms = range.from + column * stepMs;
    reported.push(!isLost(ms));
    if (isLost(ms)) continue;
    for (let row = 0; row < rows.length; row++) {
      const usual = 400 * Math.exp(-(((row - 18) / 4) ** 2));
      const slow = 60 * trouble(ms) * Math.exp(-(((row - 33) / 3) ** 2));
      const requests = Math.floor((usual + slow) * (0.6 + 0.8 * noise(column, row)));
      if (requests === 0) continue;
      cells.column.push(column);
      cells.row.push(row);
      cells.requests.push(requests);
    }
  }
  const requests = cells.requests.reduce((sum, n) => sum + n, 0);
  return { app, ...range, t0: range.from, stepMs, requests, rows, cells, reported };
}

export function selection(app, range, query, traces) {
  const differs = (attribute, value, basis, selected, selectedOf, rest, restOf) => ({
    attribute,
    value,
    basis,
    selected,
    selectedOf,
    rest,
    restOf,
    selectedShare: selected / selectedOf,
    restShare: rest / restOf,
  });
  return {
    app,
    ...range,
    selected: {
      from: Number(query("selectedFrom")),
      to: Number(query("selectedTo")),
      minMs: Number(query("minMs")),
      maxMs: query("maxMs") === null ? null : Number(query("maxMs")),
      requests: 412,
      kept: 60,
      sampled: 60,
    },
    rest: { requests: 21_000, kept: 340, sampled: 200 },
    differences: [
      differs("cpuStealRatio", "0.05", "traces", 58, 60, 9, 200),
      differs("cause", "cpu_steal", "traces", 51, 60, 3, 200),
      differs("host", "web-2", "requests", 398, 412, 10_400, 21_000),
      differs("mostTimeIn", "select * from orders where id = ?", "traces", 22, 60, 30, 200),
    ],
    traces,
  };
}

export function verdicts(app, [first, ...others]) {
  const { verdict, ...example } = first;
  const [cause] = verdict.causes;
  return {
    app,
    thresholdMs: 500,
    slow: others.length + 1,
    groups: [
      {
        kind: cause?.kind ?? "",
        target: cause?.target ?? "",
        time: null,
        traces: others.length,
        confidence: { high: others.length, medium: 0, low: 0 },
        example: { ...example, verdict },
      },
    ],
  };
}

export function ends(range) {
  const end = {
    id: "e1",
    app: "billing",
    host: "db-1",
    pid: 771,
    kind: "crash",
    title: "Killed by signal 9",
  };
  return { ...range, ends: [{ ...end, unixMs: range.to - 3_600_000 }] };
}
