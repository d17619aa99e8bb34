export type TopTable = "apps" | "processes";

/** What a person looks at: which table has the keys, how each is sorted, how far it is scrolled. */
export interface TopView {
  table: TopTable;
  sort: Readonly<Record<TopTable, string>>;
  scrolled: number;
  isHelp: boolean;
}

export const FIRST_VIEW: TopView = {
  table: "apps",
  sort: { apps: "r", processes: "c" },
  scrolled: 0,
  isHelp: false,
};

/** Keys that sort, and by what; the same letter means the same in both tables. */
export const SORT_KEYS: Readonly<Record<TopTable, Readonly<Record<string, string>>>> = {
  apps: {
    r: "requests",
    a: "average",
    p: "95th percentile",
    x: "Apdex, the worst first",
    e: "share of errors",
    c: "CPU",
    m: "memory",
    l: "event-loop delay",
    n: "name",
  },
  processes: { c: "CPU", m: "memory", t: "threads", u: "user", i: "process id" },
};

const OTHER_TABLE: Readonly<Record<TopTable, TopTable>> = { apps: "processes", processes: "apps" };

/** The view after a key; null when it ends. */
export function viewAfter(view: TopView, key: string): TopView | null {
  if (key === "q" || key === "ctrl-c") return null;
  if (view.isHelp) return { ...view, isHelp: false };
  switch (key) {
    case "h":
    case "?":
      return { ...view, isHelp: true };
    case "tab":
    case "shift-tab":
    case "left":
    case "right":
      return { ...view, table: OTHER_TABLE[view.table], scrolled: 0 };
    case "up":
      return { ...view, scrolled: Math.max(0, view.scrolled - 1) };
    case "down":
      return { ...view, scrolled: view.scrolled + 1 };
    default:
      return sortedBy(view, key);
  }
}

/** By the table that has the keys, if it knows the letter; else by the other one. */
function sortedBy(view: TopView, key: string): TopView {
  const table = [view.table, OTHER_TABLE[view.table]].find((name) => Object.hasOwn(SORT_KEYS[name], key));
  if (table === undefined) return view;
  return { ...view, table, scrolled: 0, sort: { ...view.sort, [table]: key } };
}
