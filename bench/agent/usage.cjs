// What an app has used, printed on SIGUSR2; the event loop's delay is that since the last time.
const { monitorEventLoopDelay } = require("node:perf_hooks");

const RESOLUTION_MS = 1;

exports.watchUsage = () => {
  const usage = { requests: 0 };
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  process.on("SIGUSR2", () => {
    const { user, system } = process.cpuUsage();
    console.log(
      JSON.stringify({
        cpuUs: user + system,
        requests: usage.requests,
        rssBytes: process.memoryUsage.rss(),
        loopDelayP99Ms: Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS),
      }),
    );
    delay.reset();
  });
  return usage;
};
