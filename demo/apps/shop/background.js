// What the shop does without a visitor: a queue's worker and a timer, both named for the console by action().
import { setTimeout as sleep } from "node:timers/promises";
import { action, metrics } from "@apm-daemon/agent";
import { redis } from "./cache.js";
import { database } from "./database.js";

const MAILS_EVERY_MS = 1_000;
const EXPIRE_EVERY_MS = 5_000;

export const ordersPlaced = metrics.counter("orders placed");
const mailsSent = metrics.counter("mails sent");

async function sendMail(mail) {
  const { orderId } = JSON.parse(mail);
  await database.query("SELECT total_cents, placed_at FROM orders WHERE id = $1", [orderId]);
  await sleep(30);
  mailsSent.add();
}

async function sendMails() {
  for (let mail = await redis.rPop("mails"); mail !== null; mail = await redis.rPop("mails")) {
    const order = mail;
    await action("mails process", () => sendMail(order));
  }
}

function expireCarts() {
  return action("expire carts", () =>
    database.query("DELETE FROM carts WHERE touched_at < now() - interval '30 days'"),
  );
}

/** Answers how to stop it. */
export function startBackgroundWork() {
  const say = (error) => console.error(`background work: ${error.message}`);
  const timers = [
    setInterval(() => void sendMails().catch(say), MAILS_EVERY_MS),
    setInterval(() => void expireCarts().catch(say), EXPIRE_EVERY_MS),
  ];
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
}
