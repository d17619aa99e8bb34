// The results as a table, for a terminal and for the README.
const COLUMNS = [
  { title: "promise", of: ({ promise }) => promise },
  { title: "method", of: ({ method }) => method },
  { title: "runs", of: ({ runs, skipped }) => (skipped > 0 ? `${runs} (${skipped} skipped)` : String(runs)) },
  { title: "lost", of: ({ lost }) => String(lost ?? "–") },
  { title: "doubled", of: ({ doubled }) => String(doubled ?? "–") },
  { title: "failed", of: ({ failures }) => String(failures.length) },
  { title: "recovers in, median", of: ({ recoverMs }) => seconds(recoverMs?.median) },
  { title: "max", of: ({ recoverMs }) => seconds(recoverMs?.max) },
];

export function textTable(rows) {
  const lines = [COLUMNS.map(({ title }) => title), ...rows.map((row) => COLUMNS.map(({ of }) => of(row)))];
  const widths = COLUMNS.map((_, i) => Math.max(...lines.map((cells) => cells[i].length)));
  return lines.map((cells) => cells.map((cell, i) => cell.padEnd(widths[i])).join("  ")).join("\n");
}

export function markdownTable(rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [
    line(COLUMNS.map(({ title }) => title)),
    line(COLUMNS.map(() => "---")),
    ...rows.map((row) => line(COLUMNS.map(({ of }) => of(row).replaceAll("|", "\\|")))),
  ].join("\n");
}

function seconds(ms) {
  return ms === undefined ? "–" : `${(ms / 1_000).toFixed(1)} s`;
}
