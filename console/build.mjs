/** Builds dist/ (the pages as the collector serves them) and dist-test/ (unit tests for node --test). */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = dirname(fileURLToPath(import.meta.url));
/** What the script of a first view may weigh, gzipped; style and font are counted apart, they block no work. */
const FIRST_VIEW_LIMIT_BYTES = 60 * 1024;

const font = import.meta.resolve("@fontsource-variable/inter/files/inter-latin-wght-normal.woff2");

await rm(join(root, "dist"), { recursive: true, force: true });
await rm(join(root, "dist-test"), { recursive: true, force: true });
const outputs = { ...(await buildPages()), ...(await buildEarlyScript()) };
await writeIndex(outputs);
await writePreloads(outputs);
await writeLicenses(outputs);
await checkWeight(outputs);
await compress(outputs);
await buildTests();

async function buildPages() {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [
      { in: "src/main.tsx", out: "app" },
      { in: "src/styles/index.css", out: "app" },
      { in: "src/icon.svg", out: "icon" },
    ],
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    alias: { "inter.woff2": fileURLToPath(font) },
    loader: { ".svg": "copy", ".woff2": "file" },
    outdir: "dist/assets",
    entryNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    legalComments: "none",
    metafile: true,
    plugins: [oneSharedChunk(), fewerPaths()],
  });
  return result.metafile.outputs;
}

/** What runs before the first paint: no module, since these wait until the page is read. */
async function buildEarlyScript() {
  const result = await build({
    absWorkingDir: root,
    entryPoints: ["src/app/early-theme.ts"],
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    outdir: "dist/assets",
    entryNames: "[name]-[hash]",
    legalComments: "none",
    metafile: true,
  });
  return result.metafile.outputs;
}

/** Has every part that is loaded when needed import what every page shares, see src/app/every-page.ts. */
function oneSharedChunk() {
  const shared = join(root, "src/app/every-page.ts");
  const parts = new Set();
  return {
    name: "one shared chunk",
    setup(bundler) {
      bundler.onResolve(
        { filter: /^\.{1,2}\// },
        async ({ kind, path, resolveDir, importer, pluginData }) => {
          if (kind !== "dynamic-import" || pluginData === "resolved") return undefined;
          const found = await bundler.resolve(path, { kind, resolveDir, importer, pluginData: "resolved" });
          parts.add(found.path);
          return found;
        },
      );
      bundler.onLoad({ filter: /\/src\/(app|chart|pages|ui)\/.*\.tsx?$/ }, async ({ path }) => {
        if (!parts.has(path)) return undefined;
        const contents = `${await readFile(path, "utf8")}\nimport ${JSON.stringify(shared)};\n`;
        return { contents, loader: path.endsWith("x") ? "tsx" : "ts" };
      });
    },
  };
}

/** Leaves out the kinds of lines of uPlot that no chart of ours has: 2 KiB gzipped. */
function fewerPaths() {
  return {
    name: "fewer paths",
    setup(bundler) {
      bundler.onLoad({ filter: /uPlot\.esm\.js$/ }, async ({ path }) => {
        let contents = await readFile(path, "utf8");
        for (const kind of ["stepped", "bars", "spline"]) {
          const line = new RegExp(`\\(paths\\.${kind} += \\w+\\);`);
          if (!line.test(contents))
            throw new Error(`uPlot no longer offers "${kind}" as it did; look at fewerPaths in build.mjs`);
          contents = contents.replace(line, "");
        }
        return { contents, loader: "js" };
      });
    },
  };
}

function outputOf(outputs, entryPoint) {
  const found = Object.entries(outputs).find(([, output]) => output.entryPoint === entryPoint);
  if (!found)
    throw new Error(`esbuild wrote no output for ${entryPoint}; check the entry points in build.mjs`);
  return found[0];
}

async function writeIndex(outputs) {
  const url = (entryPoint) => `/${outputOf(outputs, entryPoint).replace(/^dist\//, "")}`;
  const template = await readFile(join(root, "src/index.html"), "utf8");
  const html = template
    .replace("%ICON%", url("src/icon.svg"))
    .replace("%THEME%", url("src/app/early-theme.ts"))
    .replace("%STYLE%", url("src/styles/index.css"))
    .replace("%SCRIPT%", url("src/main.tsx"));
  await writeFile(join(root, "dist/index.html"), html);
}

/**
 * What each page loads at once, by the pattern of its path: the collector names it in the page's head, so that all of it comes while
 * the first script is read, and not one after the other as each finds out what it needs.
 */
async function writePreloads(outputs) {
  const { routePath, PAGES } = await importSource("src/app/routes.ts");
  const preloads = PAGES.map((route) => {
    const name = route.page === "apps" ? "home" : route.page;
    const start = outputOf(outputs, `src/pages/${name}/${name}-page.tsx`);
    const parts = outputs[start].imports
      .filter(({ kind, path }) => kind === "dynamic-import" && isShownAtOnce(outputs[path].entryPoint))
      .map(({ path }) => path);
    const entry = outputOf(outputs, "src/main.tsx");
    const files = [...importedBy(outputs, [entry, start, ...parts])].filter((file) => file !== entry);
    return { path: routePath(route), files: files.map((file) => `/${file.replace(/^dist\//, "")}`) };
  });
  await writeFile(join(root, "dist/preloads.json"), JSON.stringify(preloads));
}

/** Not texts of another language, nor what is only there when it is asked for. */
function isShownAtOnce(entryPoint) {
  return entryPoint.startsWith("src/pages/") && !/(-detail|\/live-[^/]*)\.tsx$/.test(entryPoint);
}

async function importSource(file) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [file],
    bundle: true,
    format: "esm",
    write: false,
  });
  return await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

/** The packages inside the bundle ask for their notices to go with it. */
async function writeLicenses(outputs) {
  const names = new Set();
  for (const input of Object.values(outputs).flatMap((output) => Object.keys(output.inputs))) {
    const match = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) names.add(match[1]);
  }
  const notices = await Promise.all([...names].sort((a, b) => a.localeCompare(b)).map(licenseOf));
  await writeFile(join(root, "dist/licenses.txt"), notices.join("\n\n"));
}

async function licenseOf(name) {
  const folder = [join(root, "node_modules", name), join(root, "../node_modules", name)];
  for (const candidate of folder) {
    const files = await readdir(candidate).catch(() => []);
    const file = files.find((one) => /^licen[cs]e/i.test(one));
    if (file) return `${name}\n\n${await readFile(join(candidate, file), "utf8")}`;
  }
  throw new Error(`no licence file in the package ${name}; the bundle must not ship without its notice`);
}

/** Weighs the script of a first visit to each page: the entry, the page's own code and all that these import at once. */
async function checkWeight(outputs) {
  const style = await gzipBytes(outputOf(outputs, "src/styles/index.css"));
  const entry = outputOf(outputs, "src/main.tsx");
  const pages = outputs[entry].imports.filter((one) => one.kind === "dynamic-import").map((one) => one.path);
  const views = await Promise.all(pages.map((page) => weigh(outputs, [entry, page])));
  const heaviest = Math.max(...views);
  const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
  console.log(`console: heaviest first view ${kib(heaviest)} script + ${kib(style)} style, gzipped`);
  if (heaviest > FIRST_VIEW_LIMIT_BYTES)
    throw new Error(
      `the script of a first view exceeds ${kib(FIRST_VIEW_LIMIT_BYTES)}; see what grew in src/`,
    );
}

/** These and all that they import at once. */
function importedBy(outputs, starts) {
  const files = new Set(starts);
  for (const file of files) {
    for (const one of outputs[file].imports) if (one.kind === "import-statement") files.add(one.path);
  }
  return files;
}

async function weigh(outputs, starts) {
  const files = importedBy(outputs, starts);
  const sizes = await Promise.all([...files].map(gzipBytes));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function gzipBytes(file) {
  return gzipSync(await readFile(join(root, file))).length;
}

/** Beside each script and style its compressed forms, which the collector serves to who accepts them. */
async function compress(outputs) {
  for (const file of Object.keys(outputs).filter((one) => /\.(js|css)$/.test(one))) {
    const content = await readFile(join(root, file));
    await writeFile(join(root, `${file}.gz`), gzipSync(content, { level: 9 }));
    await writeFile(join(root, `${file}.br`), brotliCompressSync(content));
  }
}

async function buildTests() {
  const files = await readdir(join(root, "src"), { recursive: true });
  const tests = files
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => join("src", file).replaceAll(sep, "/"));
  await mkdir(join(root, "dist-test"), { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: tests,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "linked",
    outdir: relative(root, join(root, "dist-test")),
    outbase: "src",
  });
}
