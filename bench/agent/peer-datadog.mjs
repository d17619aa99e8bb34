// dd-trace with its defaults, but without what is not tracing; its OpenTelemetry bridge serves the same calls.
import tracer from "dd-trace";

tracer.init({
  url: `http://127.0.0.1:${process.env.SINK_PORT}`,
  service: "bench",
  startupLogs: false,
  runtimeMetrics: false,
  profiling: false,
  telemetry: { enabled: false },
  remoteConfig: { enabled: false },
});
if (process.env.USES_OTEL_API === "1") new tracer.TracerProvider().register();
