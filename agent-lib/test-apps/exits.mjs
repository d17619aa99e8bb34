// Ends in the way that its argument names, right after spans that nobody has flushed.
import { trace } from "@opentelemetry/api";

const tracer = trace.getTracer("exits");
const emit = (count) => {
  for (let i = 0; i < count; i++) tracer.startSpan("work").setAttribute("i", i).end();
};
const ends = {
  natural: () => undefined,
  exit: () => process.exit(3),
  exitCode: () => {
    process.exitCode = 4;
  },
  throw: () => {
    throw new Error("thrown by the app");
  },
  reject: () => void Promise.reject(new Error("rejected by the app")),
};
const [, , how, when, count = "5000"] = process.argv;
const run = () => {
  emit(Number(count));
  ends[how]();
};
// "at-once": before Node had a turn to tell that the socket is connected.
if (when === "at-once") run();
else setTimeout(run, 200);
