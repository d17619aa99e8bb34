import assert from "node:assert/strict";
import * as fs from "node:fs";
import { request } from "node:http";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { RunningCollector, temporaryFolder } from "../testing/running-collector.ts";

describe("the console's files", () => {
  const folder = temporaryFolder();
  const consoleDir = path.join(folder, "console");
  let collector: RunningCollector;
  before(async () => {
    fs.mkdirSync(path.join(consoleDir, "assets"), { recursive: true });
    fs.writeFileSync(
      path.join(consoleDir, "index.html"),
      "<html lang='en'><head><title>the console</title></head></html>",
    );
    const preloads = [
      { path: "/", files: ["/assets/home-K3J5WQ2A.js"] },
      { path: "/apps/*/actions/*", files: ["/assets/action-K3J5WQ2A.js", "/assets/chunk-K3J5WQ2A.js"] },
    ];
    fs.writeFileSync(path.join(consoleDir, "preloads.json"), JSON.stringify(preloads));
    fs.writeFileSync(path.join(consoleDir, "favicon.svg"), "<svg/>");
    fs.writeFileSync(path.join(consoleDir, "assets", "main-K3J5WQ2A.js"), "export {};");
    fs.writeFileSync(path.join(folder, "secret.txt"), "secret");
    collector = await RunningCollector.start({ consoleDir });
  });
  after(async () => {
    await collector.end();
    fs.rmSync(folder, { recursive: true });
  });

  test("routes of the console get its page, and nothing but own files may run in it", async () => {
    for (const route of ["/", "/index.html", "/apps/shop", "/apps/my.app/actions/GET%20%2Fv1.0"]) {
      const response = await fetch(`${collector.url}${route}`, { headers: { accept: "text/html,*/*" } });
      assert.equal(response.status, 200, route);
      assert.match(await response.text(), /the console/);
      assert.match(response.headers.get("content-type") ?? "", /^text\/html/);
      assert.equal(response.headers.get("cache-control"), "no-cache");
      assert.equal(response.headers.get("x-content-type-options"), "nosniff");
      const policy = response.headers.get("content-security-policy") ?? "";
      assert.match(policy, /^default-src 'none'; script-src 'self';/);
      assert.doesNotMatch(policy, /unsafe/);
    }
  });

  test("a page's head names what it will ask for; without a list of that it names nothing", async () => {
    const linksOf = async (route: string): Promise<string[]> => {
      const page = await (await fetch(`${collector.url}${route}`)).text();
      return [
        ...page.matchAll(/<link rel="modulepreload" fetchpriority="low" href="([^"]*)" \/>(?=.*<\/head>)/g),
      ].map(([, href]) => href ?? "");
    };
    assert.deepEqual(await linksOf("/"), ["/assets/home-K3J5WQ2A.js"]);
    const ofAction = ["/assets/action-K3J5WQ2A.js", "/assets/chunk-K3J5WQ2A.js"];
    assert.deepEqual(await linksOf("/apps/a%2Fb/actions/GET%20%2F"), ofAction);
    assert.deepEqual(await linksOf("/apps/shop/nothing"), []);
    fs.writeFileSync(path.join(consoleDir, "preloads.json"), "{");
    assert.deepEqual(await linksOf("/"), []);
  });

  test("files with a hash in their name are kept forever, others are asked for again", async () => {
    const hashed = await fetch(`${collector.url}/assets/main-K3J5WQ2A.js`);
    assert.equal(hashed.headers.get("cache-control"), "public, max-age=31536000, immutable");
    assert.match(hashed.headers.get("content-type") ?? "", /javascript/);
    const icon = await fetch(`${collector.url}/favicon.svg`);
    assert.equal(icon.headers.get("cache-control"), "no-cache");
    assert.equal((await fetch(`${collector.url}/assets/gone-K3J5WQ2B.js`)).status, 404);
  });

  test("no path leads out of the folder", async () => {
    for (const target of [
      "/../secret.txt",
      "/assets/../../secret.txt",
      "/%2e%2e/secret.txt",
      "/..%2fsecret.txt",
      "//secret.txt",
    ]) {
      const body = await raw(collector.url, target);
      assert.ok(!body.includes("secret"), target);
    }
  });
});

test("a console that is not built says how to build it", async () => {
  const collector = await RunningCollector.start();
  const response = await fetch(collector.url);
  assert.equal(response.status, 503);
  assert.match(await response.text(), /npm run build/);
  await collector.end();
});

/** Sends a path as it stands: fetch would tidy it. */
async function raw(url: string, target: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const outgoing = request(url, { path: target }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => resolve(body));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}
