import assert from "node:assert/strict";
import { test } from "node:test";
import type { UplinkWantText } from "@apm-daemon/protocol";
import { HandUplink } from "../testing/hand-uplink.ts";
import { RunningCollector } from "../testing/running-collector.ts";
import { SEALED_MS, sampleHeader, sampleHost } from "../testing/sample-batch.ts";
import type { StatementTextAnswer } from "./text-fetch.ts";

const STATEMENT = "00112233aabbccdd";

async function daemon(collector: RunningCollector, name: string, stream: string): Promise<HandUplink> {
  const uplink = await HandUplink.open(collector.url, collector.key);
  await uplink.hello(stream, sampleHost({ name, id: name }));
  return uplink;
}

/** The question that it is asked, whatever else it is told. */
async function question(uplink: HandUplink | undefined): Promise<UplinkWantText> {
  if (uplink === undefined) throw new Error("no such daemon");
  for (;;) {
    const message = await uplink.next();
    if (message.type === "want_text") return message;
  }
}

async function ask(collector: RunningCollector, statement = STATEMENT): Promise<Response> {
  return await fetch(`${collector.url}/api/v1/statements/${statement}/text?deadlineMs=500`, {
    method: "POST",
  });
}

test("the text of a statement comes from the host that has it; the others are named with what they said", async (t) => {
  const collector = await RunningCollector.start({ clock: () => SEALED_MS + 1_000 });
  t.after(() => collector.end());
  const gone = await collector.uplink();
  await gone.deliver(sampleHeader({ host: sampleHost({ name: "gone", id: "g" }) }));
  await gone.close();
  const stream = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;
  const [knows, forgot, older, odd] = await Promise.all(
    ["knows", "forgot", "older", "odd"].map((name, i) => daemon(collector, name, stream(i + 1))),
  );
  const asked = ask(collector);
  const answers: [HandUplink | undefined, unknown][] = [
    [knows, { text: "SELECT a FROM b" }],
    [forgot, { text: "" }],
    [odd, { text: { not: "text" } }],
  ];
  for (const [uplink, body] of answers) {
    const { id, ...want } = await question(uplink);
    assert.deepEqual(want, { type: "want_text", fingerprint: STATEMENT });
    uplink?.socket.send(JSON.stringify({ type: "text", id, ...(body as object) }));
  }
  const answer = await asked;
  assert.equal(answer.status, 200);
  const { text, hosts } = (await answer.json()) as StatementTextAnswer;
  assert.equal(text, "SELECT a FROM b");
  assert.deepEqual(
    hosts.map(({ host, state }) => [host, state]),
    [
      ["forgot", "nothing"],
      ["gone", "offline"],
      ["knows", "found"],
      ["odd", "nothing"],
      ["older", "silent"],
    ],
  );
  for (const uplink of [knows, forgot, older, odd]) await uplink?.close();
});

test("what is no fingerprint is refused, other sites may not ask, and the path takes POST alone", async (t) => {
  const collector = await RunningCollector.start();
  t.after(() => collector.end());
  assert.equal((await ask(collector, "xyz")).status, 400);
  const url = `${collector.url}/api/v1/statements/${STATEMENT}/text`;
  assert.equal((await fetch(url)).status, 405);
  const elsewhere = await fetch(url, { method: "POST", headers: { origin: "https://evil.example" } });
  assert.equal(elsewhere.status, 403);
  const none = (await (await ask(collector)).json()) as StatementTextAnswer;
  assert.deepEqual([none.text, none.hosts], [null, []]);
});
