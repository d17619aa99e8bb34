/**
 * Builds apm-daemon_VERSION_ARCH.deb and apm-collector_VERSION_ARCH.deb into out/, from what `npm run build` has made and the packages
 * that it left outside of the bundle. Usage: node systemd/deb/build.mjs [--version VERSION] [--out DIR] [--daemon-only] [--quick]
 * Who builds is named by DEBFULLNAME and DEBEMAIL, as Debian's own tools have it.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const out = option("--out") ?? join(root, "out");
const LIB = "usr/lib/apm-daemon";
/** What Debian's checker finds and we mean. */
const OVERRIDES = "lintian-overrides";

const cli = JSON.parse(readFileSync(join(root, "cli/package.json"), "utf8"));
/** For tests: large instead of slow. */
const isQuick = process.argv.includes("--quick");
const version = option("--version") ?? cli.version;
if (!/^[0-9][0-9A-Za-z.+~-]*$/.test(version ?? ""))
  throw new Error(`--version ${version}: a Debian version begins with a digit, such as 0.1.0`);
const arch = execFileSync("dpkg", ["--print-architecture"], { encoding: "utf8" }).trim();

const maintainer = `${process.env.DEBFULLNAME ?? "apm-daemon packages"} <${process.env.DEBEMAIL ?? "packages@example.org"}>`;

/** Of whoever asks for it in sources and packages. */
const TEXT = { "@VERSION@": version, "@ARCH@": arch, "@MAINTAINER@": maintainer };
/** Prebuilt code of other systems stays out. */
const NATIVE = { amd64: "linux-x64", arm64: "linux-arm64" }[arch];
if (NATIVE === undefined)
  throw new Error(`there is no prebuilt code for ${arch}: packages can be built on amd64 and arm64`);

const built = join(root, "cli/bundle/main.js");
if (!existsSync(built)) throw new Error(`${built} is missing: run "npm run build" first`);

buildPackage("apm-daemon", (folder) => {
  copy(join(root, "cli/bundle"), join(folder, LIB, "cli/bundle"));
  chmodSync(join(folder, LIB, "cli/bundle/main.js"), 0o755);
  writeJson(join(folder, LIB, "cli/package.json"), {
    name: cli.name,
    version,
    type: "module",
    engines: cli.engines,
  });
  const agent = JSON.parse(readFileSync(join(root, "agent-lib/package.json"), "utf8"));
  copy(join(root, "agent-lib/dist/bundle"), join(folder, modulePath(agent.name), "dist/bundle"));
  writeJson(join(folder, modulePath(agent.name), "package.json"), {
    name: agent.name,
    version,
    type: "module",
    exports: { ".": "./dist/bundle/index.js", "./register": "./dist/bundle/register.js" },
  });
  copyModule(folder, "koffi", ["vendor", "doc", "lib", "CHANGELOG.md"]);
  // For another libc than Debian's.
  copyModule(folder, `@koromix/koffi-${NATIVE}`, [`musl_${NATIVE.replace("linux-", "")}`]);
  mkdirSync(join(folder, "usr/bin"), { recursive: true });
  symlinkSync("../lib/apm-daemon/cli/bundle/main.js", join(folder, "usr/bin/apm"));
  copyUnit(folder, "apm-daemon.service");
  copyUnit(folder, "apm-daemon.socket");
  copy(join(root, "systemd/apm-daemon.sysusers"), join(folder, "usr/lib/sysusers.d/apm-daemon.conf"));
  copy(join(root, "systemd/apm-daemon.tmpfiles"), join(folder, "usr/lib/tmpfiles.d/apm-daemon.conf"));
  copy(join(root, "systemd/examples"), join(folder, "usr/share/doc/apm-daemon/examples"));
  configFile(folder, "daemon");
});

if (!process.argv.includes("--daemon-only"))
  buildPackage("apm-collector", (folder) => {
    const console_ = JSON.parse(readFileSync(join(root, "console/package.json"), "utf8"));
    copy(join(root, "console/dist"), join(folder, modulePath(console_.name), "dist"));
    writeJson(join(folder, modulePath(console_.name), "package.json"), {
      name: console_.name,
      version,
      type: "module",
      exports: console_.exports,
    });
    for (const name of [
      "@duckdb/node-api",
      "@duckdb/node-bindings",
      `@duckdb/node-bindings-${NATIVE}`,
      "detect-libc",
    ])
      copyModule(folder, name);
    copyUnit(folder, "apm-collector.service");
    configFile(folder, "collector");
  });

function option(name) {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

function buildPackage(name, fill) {
  const folder = join(out, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "DEBIAN"), { recursive: true });
  fill(folder);
  const doc = join(folder, "usr/share/doc", name);
  mkdirSync(doc, { recursive: true });
  copy(join(here, "copyright"), join(doc, "copyright"));
  writeFileSync(join(doc, "changelog.gz"), gzip(changelog(name)));
  for (const file of readdirSync(join(here, name))) {
    if (file === OVERRIDES) {
      copy(join(here, name, file), join(folder, "usr/share/lintian/overrides", name));
      continue;
    }
    const target = join(folder, "DEBIAN", file);
    let text = readFileSync(join(here, name, file), "utf8");
    for (const [mark, value] of Object.entries(TEXT)) text = text.replaceAll(mark, value);
    if (file === "control") text = text.replace("@SIZE@", String(Math.ceil(bytesBelow(folder) / 1024)));
    writeFileSync(target, text);
    chmodSync(target, ["control", "conffiles"].includes(file) ? 0o644 : 0o755);
  }
  const file = join(out, `${name}_${version}_${arch}.deb`);
  execFileSync(
    "dpkg-deb",
    ["--root-owner-group", isQuick ? "-Zgzip" : "-Zxz", isQuick ? "-z1" : "-z6", "--build", folder, file],
    {
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  rmSync(folder, { recursive: true });
  console.log(`${file} ${(statSync(file).size / 1e6).toFixed(1)} MB`);
}

function modulePath(name) {
  return join(LIB, "node_modules", name);
}

function copyModule(folder, name, without = []) {
  const from = join(root, "node_modules", name);
  const left = without.map((path) => join(from, path));
  copy(from, join(folder, modulePath(name)), (path) => !left.some((one) => path === one));
}

/** Everything belongs to root, and nobody else may write it. */
function copy(from, to, filter = () => true) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, {
    recursive: true,
    dereference: true,
    filter: (path) => filter(path) && !path.endsWith(".map") && !path.endsWith(".tsbuildinfo"),
  });
  for (const path of below(to)) chmodSync(path, statSync(path).isDirectory() ? 0o755 : 0o644);
}

function copyUnit(folder, name) {
  copy(join(root, "systemd", name), join(folder, "lib/systemd/system", name));
}

/** With every key at its default, as a comment. */
function configFile(folder, program) {
  const file = join(folder, "etc/apm-daemon", `${program}.toml`);
  mkdirSync(dirname(file), { recursive: true });
  execFileSync(process.execPath, [built, "config", "init", program, "--file", file], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { PATH: process.env.PATH, HOME: out },
  });
  chmodSync(file, 0o644);
}

function* below(path) {
  yield path;
  if (!statSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) yield* below(join(path, name));
}

function bytesBelow(folder) {
  const bytes = execFileSync("du", ["--bytes", "--summarize", folder], { encoding: "utf8" });
  return Number(bytes.split("\t")[0]);
}

function writeJson(file, value) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

function changelog(name) {
  return `${name} (${version}) unstable; urgency=medium\n\n  * See CHANGELOG.md of the project.\n\n -- ${maintainer}  ${new Date(0).toUTCString().replace("GMT", "+0000")}\n`;
}

/** With no name and no time in it, so that the same content is the same file. */
function gzip(text) {
  return execFileSync("gzip", ["-9n"], { input: text });
}
