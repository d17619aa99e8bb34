// Program: prints the SystemFacts of this host as one line of JSON.

import si from "systeminformation";
import type { SystemFacts } from "./system-facts.ts";

const [os, cpu, system] = await Promise.all([si.osInfo(), si.cpu(), si.system()]);
const facts: SystemFacts = {
  os: `${os.distro} ${os.release}`.trim(),
  cpuModel: `${cpu.manufacturer} ${cpu.brand}`.trim(),
  virtualization: system.virtual ? (system.virtualHost ?? "") : "none",
};
process.stdout.write(`${JSON.stringify(facts)}\n`);
