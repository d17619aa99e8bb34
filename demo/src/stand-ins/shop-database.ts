import { setTimeout as sleep } from "node:timers/promises";
import type { Column } from "./postgres-messages.ts";
import { type AnswerStatement, StatementError, type StatementResult } from "./postgres-server.ts";

type Values = readonly (string | null)[];
type Row = readonly (string | null)[];

/** How statements that begin so are answered. */
interface KnownStatement {
  begins: string;
  /** Shortest and longest time it takes. */
  takesMs: readonly [number, number];
  /** A share of them takes longer. */
  seldom?: { ratio: number; takesMs: readonly [number, number] };
  /** A share of them fails. */
  fails?: { ratio: number; code: string; sentence: string };
  columns?: readonly Column[];
  rows?: (values: Values) => readonly Row[];
}

const PRODUCTS = 400;
/** Each so manyth. */
const CUSTOMERS_WITHOUT_ADDRESS = 4;

const number = (name: string): Column => ({ name, type: 23 });
const words = (name: string): Column => ({ name, type: 25 });

/** The database of a shop and its payments that keeps nothing: what it answers follows from the values that it is asked for. */
const KNOWN: readonly KnownStatement[] = [
  { begins: "BEGIN", takesMs: [0, 1] },
  { begins: "COMMIT", takesMs: [2, 6] },
  { begins: "ROLLBACK", takesMs: [0, 1] },
  {
    begins: "SELECT id, name, price_cents FROM products WHERE is_featured",
    takesMs: [3, 9],
    columns: [number("id"), words("name"), number("price_cents")],
    rows: () => Array.from({ length: 12 }, (_, rank) => productRow(rank * 31 + 1)),
  },
  {
    begins: "SELECT id, name, price_cents, description FROM products WHERE id",
    takesMs: [1, 5],
    columns: [number("id"), words("name"), number("price_cents"), words("description")],
    rows: ([id]) => (Number(id) > PRODUCTS ? [] : [[...productRow(Number(id)), "Made to last."]]),
  },
  {
    begins: "SELECT price_cents FROM products WHERE id",
    takesMs: [2, 6],
    columns: [number("price_cents")],
    rows: ([id]) => [[String(priceCents(Number(id)))]],
  },
  {
    begins: "SELECT id, name, price_cents FROM products WHERE name ILIKE",
    takesMs: [60, 260],
    seldom: { ratio: 0.15, takesMs: [620, 2_300] },
    columns: [number("id"), words("name"), number("price_cents")],
    rows: () => Array.from({ length: 8 }, (_, n) => productRow(n * 47 + 3)),
  },
  {
    begins: "SELECT product_id, quantity FROM cart_lines",
    takesMs: [1, 4],
    columns: [number("product_id"), number("quantity")],
    rows: ([cart]) =>
      Array.from({ length: 4 + (Number(cart) % 24) }, (_, line) => [
        String(1 + ((Number(cart) + line * 13) % PRODUCTS)),
        String(1 + (line % 3)),
      ]),
  },
  {
    begins: "INSERT INTO orders",
    takesMs: [3, 12],
    columns: [number("id")],
    rows: () => [[String(nextOrderId++)]],
  },
  {
    begins: "UPDATE stock SET units",
    takesMs: [2, 8],
    fails: { ratio: 0.02, code: "40P01", sentence: "deadlock detected" },
  },
  {
    begins: "SELECT id, name, address FROM customers",
    takesMs: [1, 4],
    columns: [number("id"), words("name"), words("address")],
    rows: ([id]) => [
      [
        id ?? null,
        `Customer ${id}`,
        Number(id) % CUSTOMERS_WITHOUT_ADDRESS === 0 ? null : "1 High Street, Springfield",
      ],
    ],
  },
  {
    begins: "SELECT id, total_cents, placed_at FROM orders WHERE customer_id",
    takesMs: [8, 40],
    columns: [number("id"), number("total_cents"), words("placed_at")],
    rows: ([id]) => [["1001", String(1_990 + Number(id)), "2026-03-01 12:00:00"]],
  },
  {
    begins: "SELECT total_cents, placed_at FROM orders WHERE id",
    takesMs: [1, 4],
    columns: [number("total_cents"), words("placed_at")],
    rows: () => [["4990", "2026-03-01 12:00:00"]],
  },
  {
    begins: "SELECT country, SUM(total_cents)",
    takesMs: [900, 2_600],
    columns: [words("country"), number("turnover_cents")],
    rows: () => [
      ["DE", "8123400"],
      ["FR", "5310200"],
      ["NL", "2047800"],
    ],
  },
  { begins: "DELETE FROM carts", takesMs: [20, 90] },
  { begins: "SELECT state FROM payments", takesMs: [1, 3], columns: [words("state")], rows: () => [] },
  { begins: "INSERT INTO payments", takesMs: [3, 9] },
];

let nextOrderId = 10_000;

export const answerShopStatement: AnswerStatement = async (statement, values) => {
  const known = KNOWN.find(({ begins }) => statement.startsWith(begins));
  if (known === undefined) {
    const sentence = "the demo's stand-in for a database knows only the statements of the demo's apps";
    throw new StatementError("0A000", sentence);
  }
  const isSeldom = Math.random() < (known.seldom?.ratio ?? 0);
  await sleep(between(isSeldom && known.seldom ? known.seldom.takesMs : known.takesMs));
  if (known.fails && Math.random() < known.fails.ratio)
    throw new StatementError(known.fails.code, known.fails.sentence);
  return resultOf(known, statement, values);
};

function resultOf(known: KnownStatement, statement: string, values: Values): StatementResult {
  const [verb = ""] = statement.split(" ", 1);
  const rows = known.rows?.(values) ?? [];
  const counts: Record<string, string> = {
    SELECT: ` ${rows.length}`,
    INSERT: " 0 1",
    UPDATE: " 1",
    DELETE: " 3",
  };
  return { columns: known.columns ?? [], rows, tag: `${verb}${counts[verb] ?? ""}` };
}

function between([lowMs, highMs]: readonly [number, number]): number {
  return lowMs + Math.random() * (highMs - lowMs);
}

function productRow(id: number): Row {
  return [String(id), `Product ${id}`, String(priceCents(id))];
}

function priceCents(id: number): number {
  return 490 + ((id * 137) % 9_000);
}
