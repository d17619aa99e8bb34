import type { Locator, Page } from "playwright-core";

export type TableRow = Record<string, string>;

/** All rows of the table of this name, each by the headings. */
export async function tableRows(page: Page, name: string): Promise<TableRow[]> {
  return rowsOf(page.getByRole("table", { name, exact: true }));
}

/** The rows of the chart that the address shows as a table. */
export async function chartRows(page: Page, title: string): Promise<TableRow[]> {
  return rowsOf(page.getByRole("region", { name: title, exact: true }).getByRole("table"));
}

/** The only row whose cells begin with a name in the first column. */
export function rowOf(rows: readonly TableRow[], name: string): TableRow {
  const found = rows.filter((row) => (Object.values(row)[0] ?? "").startsWith(name));
  const [row] = found;
  if (row === undefined || found.length > 1) {
    const names = rows.map((one) => Object.values(one)[0]);
    throw new Error(`${found.length} rows begin with "${name}": ${JSON.stringify(names)}`);
  }
  return row;
}

async function rowsOf(table: Locator): Promise<TableRow[]> {
  await table.locator("tbody tr").first().waitFor();
  const headings = (await table.locator("th").allTextContents()).map((text) => text.replace(" ▾", ""));
  const cells = await table.locator("tbody td").allTextContents();
  if (headings.length === 0 || cells.length % headings.length !== 0)
    throw new Error(`${cells.length} cells below ${headings.length} headings`);
  return Array.from({ length: cells.length / headings.length }, (_, row) =>
    Object.fromEntries(
      headings.map((heading, column) => [heading, cells[row * headings.length + column] ?? ""]),
    ),
  );
}
