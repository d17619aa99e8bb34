"use strict";
// An app that is slow in many ways, each as real code is: it computes, waits, writes, asks others, and keeps too much in memory.
const { closeSync, fstatSync, openSync, promises: files, readSync } = require("node:fs");
const { Agent, get } = require("node:http");
const { tmpdir } = require("node:os");
const { setImmediate: breathe, setTimeout: sleep } = require("node:timers/promises");
const express = require("express");
const pg = require("pg");

const { PORT = "0", POSTGRES_URL = "" } = process.env;
const pool = POSTGRES_URL === "" ? null : new pg.Pool({ connectionString: POSTGRES_URL, max: 4 });
const kept = new Agent({ keepAlive: true, maxSockets: 4 });
/** Whatever makes it slow: after that long it does with what it has. */
const MOST_MS = 4_000;
/** A fast machine has more of it to do: short requests are told little of. */
const LEAST_MS = 1_500;
let touched = 0;
let memory = Buffer.alloc(0);

function isWorthIt(begunMs, isLeft) {
  const ms = performance.now() - begunMs;
  return ms < LEAST_MS || (isLeft && ms < MOST_MS);
}

/** So much work, not so much time: with half of a CPU it takes twice as long. About 1 ms each. */
function compute(units) {
  let x = 1;
  for (let i = 0; i < units * 25_000; i++) x = (x * 1_103_515_245 + 12_345) % 2_147_483_648;
  return x;
}

/** In pieces, so that others have their turn, and not for ever. */
async function work(units) {
  const endMs = performance.now() + MOST_MS;
  for (let done = 0; done < units && performance.now() < endMs; done += 10) {
    compute(10);
    await breathe();
  }
}

/** Some work and a wait, again and again. */
async function doze(ms) {
  for (const endMs = performance.now() + ms; performance.now() < endMs; await sleep(20)) compute(5);
}

/** Most of it survives for a while, which is what makes collecting it long. */
async function litter(rounds) {
  const alive = [];
  const begunMs = performance.now();
  for (let i = 0; isWorthIt(begunMs, i < rounds); i++) {
    const list = [];
    for (let k = 0; k < 100_000; k++) list.push({ k, text: `item ${k}`, pair: [k, i] });
    alive.push(list);
    if (alive.length > 9) alive.shift();
    await breathe();
  }
}

async function write(times) {
  const path = `${tmpdir()}/apm-patient-${process.pid}`;
  const file = await files.open(path, "w");
  const page = Buffer.alloc(262_144, 1);
  const begunMs = performance.now();
  for (let i = 0; isWorthIt(begunMs, i < times); i++) {
    await file.write(page, 0, page.length, 0);
    await file.sync();
  }
  await file.close();
  await files.rm(path);
}

/** Reads pages of a file here and there, each twice, from the page cache if that has room for the file. */
async function reread(path, times) {
  const page = Buffer.alloc(4_096);
  const file = openSync(path, "r");
  const pages = fstatSync(file).size / page.length;
  const endMs = performance.now() + MOST_MS;
  for (let i = 0; i < times && performance.now() < endMs; i++) {
    const at = Math.floor(Math.random() * pages) * page.length;
    readSync(file, page, 0, page.length, at);
    readSync(file, page, 0, page.length, at);
    if (i % 100 === 0) await breathe();
  }
  closeSync(file);
}

/** Takes memory and reads each page of it, several times: pages that are written must be written out, for which the kernel does not always wait. */
function touch(megabytes, times) {
  if (memory.length !== megabytes * 1_048_576) memory = Buffer.alloc(megabytes * 1_048_576, 1);
  const endMs = performance.now() + MOST_MS;
  for (let i = 0; i < times && performance.now() < endMs; i++)
    for (let at = 0; at < memory.length; at += 4_096) touched += memory[at];
}

function ask(url, agent) {
  return new Promise((done, fail) => {
    get(url, { agent }, (answer) => answer.resume().on("end", done)).on("error", fail);
  });
}

/** Four at once, each by a connection that stays open. */
async function askTimes(url, times) {
  let left = times;
  const lane = async () => {
    while (left-- > 0) await ask(url, kept);
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
}

const routes = {
  "/nap": ({ ms }) => sleep(Number(ms)),
  "/doze": ({ ms }) => doze(Number(ms)),
  "/work": ({ units }) => work(Number(units)),
  "/block": ({ units }) => compute(Number(units)),
  "/litter": ({ rounds }) => litter(Number(rounds)),
  "/write": ({ times }) => write(Number(times)),
  "/reread": ({ path, times }) => reread(path, Number(times)),
  "/touch": ({ megabytes, times }) => touch(Number(megabytes), Number(times)),
  "/ask": ({ url, times }) => askTimes(url, Number(times)),
  "/report": ({ seconds }) => pool.query("SELECT pg_sleep($1)", [Number(seconds)]),
  "/pay": () => pool.query("UPDATE accounts SET balance = balance - 1 WHERE id = 1"),
};

const app = express();
for (const [path, work] of Object.entries(routes)) {
  app.get(path, async (req, res) => {
    await work(req.query);
    res.end("done\n");
  });
}

const server = app.listen(Number(PORT), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

process.on("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
  kept.destroy();
  void pool?.end();
});
