// systeminformation doing at 1 Hz what the daemon's sampler does each second.
import si from "systeminformation";

async function sample() {
  await Promise.all([
    si.currentLoad(),
    si.mem(),
    si.disksIO(),
    si.fsStats(),
    si.networkStats("*"),
    si.processes(),
  ]);
}
setInterval(() => void sample(), 1_000);
