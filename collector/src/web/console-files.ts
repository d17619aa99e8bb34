import * as fs from "node:fs";
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { serveStatic } from "@hono/node-server/serve-static";
import { type Context, Hono } from "hono";
import { BuiltFiles } from "./built-files.ts";
import { Preloads } from "./preloads.ts";

/** Builds put a hash of the content into these names, so they never change. */
const HASHED_NAME = /[-.][0-9A-Za-z_]{8,}\.(js|css|woff2|svg|png|map)$/;

/** Whether a log-in is needed, was done, or is not asked for. */
export type LoginState = "needed" | "in" | "";

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>apm-daemon</title>
<h1>The console is not built</h1>
<p>This collector works, but the folder of its web pages is empty. Build them with <code>npm run build</code>, then start it again.</p>
<p>The API answers at <a href="/api/v1/apps">/api/v1/apps</a>.</p></html>`;

/**
 * The console's files; paths without a file extension are routes of the console and get its index page. They hold no data, so everybody
 * gets them; the index page says how it is with the log-in, so that its script need not ask.
 */
export function consoleFiles(consoleDir: string, login: (c: Context) => LoginState): Hono {
  const root = path.resolve(consoleDir);
  const files = new Hono();
  const isBuilt = fs.existsSync(path.join(root, "index.html"));
  if (!isBuilt) return files.get("*", (c) => c.html(NOT_BUILT, 503));
  const preloads = new Preloads(path.join(root, "preloads.json"));
  const built = new BuiltFiles(root, () => performance.now());
  const serve = serveStatic({
    root,
    precompressed: true,
    onFound: (file, c) =>
      c.header(
        "cache-control",
        HASHED_NAME.test(file.replace(/\.(br|gz|zst)$/, ""))
          ? "public, max-age=31536000, immutable"
          : "no-cache",
      ),
  });
  files.use((c, next) => (c.req.path !== "/" && built.has(c.req.path) ? serve(c, next) : next()));
  files.get("*", async (c) => {
    if (path.posix.extname(c.req.path) !== "" && !wantsPage(c)) return c.text("there is no such file\n", 404);
    c.header("cache-control", "no-cache");
    const page = await readFile(path.join(root, "index.html"), "utf8");
    const state = login(c);
    const links = state === "needed" ? "" : await preloads.linksFor(c.req.path);
    const marked = state === "" ? page : page.replace("<html ", `<html data-login="${state}" `);
    return c.html(marked.replace("</head>", `${links}</head>`));
  });
  return files;
}

/** App names with dots are part of routes: a browser that navigates asks for HTML, one that loads a file does not. */
function wantsPage(c: Context): boolean {
  return c.req.header("accept")?.includes("text/html") === true;
}
