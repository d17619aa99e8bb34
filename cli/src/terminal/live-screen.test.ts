import assert from "node:assert/strict";
import { test } from "node:test";
import { LiveScreen } from "./live-screen.ts";

function terminal(rows: number): {
  output: { write(text: string): void; isTTY: true; rows: number };
  texts: string[];
} {
  const texts: string[] = [];
  return { output: { write: (text) => void texts.push(text), isTTY: true, rows }, texts };
}

test("draws over the page before without clearing it, and gives the screen back", () => {
  const { output, texts } = terminal(24);
  const screen = new LiveScreen(output);
  screen.draw("one\ntwo");
  screen.draw("three");
  screen.close();
  screen.close();
  assert.deepEqual(texts, [
    "\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[H\u001b[Kone\r\n\u001b[Ktwo\r\n\u001b[J",
    "\u001b[H\u001b[Kthree\r\n\u001b[J",
    "\u001b[?7h\u001b[?25h\u001b[?1049l",
  ]);
});

test("never scrolls: what does not fit is cut", () => {
  const { output, texts } = terminal(3);
  new LiveScreen(output).draw("1\n2\n3\n4");
  assert.ok(texts[0]?.includes("2") && !texts[0].includes("K3"));
});

test("without a terminal pages follow one another", () => {
  const texts: string[] = [];
  const screen = new LiveScreen({ write: (text) => void texts.push(text) });
  screen.draw("one");
  screen.close();
  assert.deepEqual(texts, ["one\n\n"]);
});
