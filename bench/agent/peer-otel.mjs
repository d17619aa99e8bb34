// The OpenTelemetry SDK as its documentation sets it up: batch processor, OTLP/protobuf.
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
import { PgInstrumentation } from "@opentelemetry/instrumentation-pg";
import { RedisInstrumentation } from "@opentelemetry/instrumentation-redis";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const exporter = new OTLPTraceExporter({ url: `http://127.0.0.1:${process.env.SINK_PORT}/v1/traces` });
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": "bench" }),
  // Queue and batch large enough that nothing is dropped: a dropped span is a cheap span.
  spanProcessors: [
    new BatchSpanProcessor(exporter, {
      maxQueueSize: 65_536,
      maxExportBatchSize: 4_096,
      scheduledDelayMillis: 500,
    }),
  ],
});
provider.register({ contextManager: new AsyncLocalStorageContextManager() });
registerInstrumentations({
  instrumentations: [new HttpInstrumentation(), new PgInstrumentation(), new RedisInstrumentation()],
});
