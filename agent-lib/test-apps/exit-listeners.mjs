// Spans that end in exit listeners of the app's own: after those of an agent that was loaded before it.
import { trace } from "@opentelemetry/api";

const tracer = trace.getTracer("exits");
const emit = (name) => tracer.startSpan(name).end();

process.on("exit", (code) => {
  emit("first listener");
  console.log(`first ${code}`);
});
process.on("exit", () => {
  for (let i = 0; i < 100; i++) emit("second listener");
  console.log("second");
  process.exitCode = 7;
});
emit("before");
setTimeout(() => undefined, 200);
