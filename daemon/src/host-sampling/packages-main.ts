// Program: prints the HostPackages of this host as one line of JSON.

import { readInstalledPackages } from "./installed-packages.ts";

/** Undefined with other C libraries, such as musl. */
const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
const glibc = header?.glibcVersionRuntime;
const packages = await readInstalledPackages(glibc === undefined ? "" : `glibc ${glibc}`);
process.stdout.write(`${JSON.stringify(packages)}\n`);
