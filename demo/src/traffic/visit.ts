/** One request of a visitor. */
export interface Visit {
  method: "GET" | "POST";
  path: string;
  body?: unknown;
}

const WORDS = ["lamp", "chair", "oak table", "baker's dozen", "teapot", "rug"];

interface Wish {
  /** Among 100 visits. */
  share: number;
  visit: () => Visit;
}

const WISHES: readonly Wish[] = [
  { share: 22, visit: () => get("/") },
  { share: 27, visit: () => get(`/products/${upTo(150)}`) },
  { share: 2, visit: () => get(`/products/${900 + upTo(50)}`) },
  { share: 13, visit: () => get(`/search?words=${encodeURIComponent(anyWord())}&below=${upTo(90) * 100}`) },
  { share: 7, visit: () => get(`/carts/${upTo(5_000)}`) },
  { share: 11, visit: placeOrder },
  { share: 6, visit: () => get(`/customers/${upTo(5_000)}`) },
  { share: 3, visit: () => get("/reports/sales") },
  { share: 2, visit: () => get("/wp-login.php") },
  { share: 2, visit: () => logIn() },
];

const SHARES: number = WISHES.reduce((sum, { share }) => sum + share, 0);

/** What the next visitor wants; `luck` in 0..1 decides what it is. */
export function nextVisit(luck: number): Visit {
  let left = luck * SHARES;
  for (const { share, visit } of WISHES) {
    left -= share;
    if (left < 0) return visit();
  }
  return get("/");
}

/** The seldom visits too: who begins with these has something to show on each page at once. */
export function oneOfEach(): Visit[] {
  return WISHES.map(({ visit }) => visit());
}

/** What makes the shop compute for so long that all others wait. */
export function invoiceVisit(): Visit {
  return get(`/invoices/${upTo(5_000)}`);
}

function get(path: string): Visit {
  return { method: "GET", path };
}

function placeOrder(): Visit {
  const productIds = Array.from({ length: upTo(3) }, () => upTo(400));
  const body = { cartId: upTo(5_000), totalCents: 990 + upTo(20_000), productIds };
  return { method: "POST", path: "/orders", body };
}

function logIn(): Visit {
  const password = Math.random() < 0.6 ? "correct horse" : "battery staple";
  return { method: "POST", path: "/login", body: { password } };
}

function anyWord(): string {
  return WORDS[upTo(WORDS.length) - 1] ?? "lamp";
}

/** A whole number of 1..most. */
function upTo(most: number): number {
  return 1 + Math.floor(Math.random() * most);
}
