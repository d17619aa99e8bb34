/** A column of a chart under its heading. */
export interface CsvColumn {
  label: string;
  values: readonly (number | null)[];
}

/** The chart's numbers as CSV (RFC 4180): UTC time, then one column a series, empty where unknown. */
export function csvText(t0: number, stepMs: number, columns: readonly CsvColumn[]): string {
  const length = Math.max(0, ...columns.map((column) => column.values.length));
  const lines = [["time", ...columns.map((column) => quoted(column.label))].join(",")];
  for (let i = 0; i < length; i++) {
    const cells = columns.map((column) => String(column.values[i] ?? ""));
    lines.push([new Date(t0 + i * stepMs).toISOString(), ...cells].join(","));
  }
  return `${lines.join("\r\n")}\r\n`;
}

/** Spreadsheets run cells that start like a formula; a quote in front makes them text. */
function quoted(label: string): string {
  const safe = /^[=+\-@\t\r]/.test(label) ? `'${label}` : label;
  return `"${safe.replaceAll('"', '""')}"`;
}

/** Lets the browser save a text as a file. */
export function saveText(fileName: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = fileName;
  anchor.click();
  URL.revokeObjectURL(url);
}
