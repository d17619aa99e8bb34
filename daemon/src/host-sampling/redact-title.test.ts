import assert from "node:assert/strict";
import { test } from "node:test";
import { redactTitle } from "./redact-title.ts";

const TITLES: [title: string, shown: string][] = [
  ["worker --password=hunter2 --port=80", "worker --password=*** --port=80"],
  ["worker --db-password hunter2 --verbose", "worker --db-password *** --verbose"],
  ["worker --password --verbose", "worker --password --verbose"],
  ["mysql -uroot -phunter2 shop", "mysql -uroot -p*** shop"],
  ["mysql -p hunter2", "mysql -p ***"],
  ["job API_KEY=abc MODE=fast SESSION_SECRET='a b' x", "job API_KEY=*** MODE=fast SESSION_SECRET=*** x"],
  ["sync mysql://shop:hunter2@db:3306/shop", "sync mysql://***@db:3306/shop"],
  ["get https://host/path?token=abc&x=1 done", "get https://host/path?*** done"],
  ["curl -H authorization: Bearer abc.def", "curl -H authorization: ***"],
  [
    "nginx: master process /usr/sbin/nginx -g daemon off;",
    "nginx: master process /usr/sbin/nginx -g daemon off;",
  ],
  ["postgres: shop shop 127.0.0.1(4711) idle", "postgres: shop shop 127.0.0.1(4711) idle"],
];

for (const [title, shown] of TITLES) {
  test(`${title} is shown as ${shown}`, () => {
    assert.equal(redactTitle(title), shown);
  });
}

test("a title that was made to be slow to look through is not", () => {
  const began = performance.now();
  redactTitle(`${"a-".repeat(20_000)}${"://".repeat(5_000)}`.slice(0, 4_096));
  assert.ok(performance.now() - began < 5_000);
});
