// elastic-apm-node with its defaults, but without metrics and central configuration.
import apm from "elastic-apm-node";

apm.start({
  serverUrl: `http://127.0.0.1:${process.env.SINK_PORT}`,
  serviceName: "bench",
  centralConfig: false,
  metricsInterval: "0s",
  cloudProvider: "none",
  logLevel: "off",
  opentelemetryBridgeEnabled: process.env.USES_OTEL_API === "1",
  // Nothing is dropped or compressed away: a dropped span is a cheap span.
  transactionMaxSpans: -1,
  spanCompressionEnabled: false,
});
