// Makes more spans than a socket takes at once, then ends in the way that its argument names.
import { trace } from "@opentelemetry/api";

const SPANS = 20_000;
const tracer = trace.getTracer("endings");
const [, , ending] = process.argv;

function emit() {
  for (let i = 0; i < SPANS; i++) tracer.startSpan("work").setAttribute("i", `${i} of many`).end();
}

const waitForSignal = () => {
  setInterval(() => undefined, 1_000);
  const names = ["SIGTERM", "SIGINT", "SIGHUP", "uncaughtException", "unhandledRejection", "beforeExit"];
  console.log("listeners", names.map((name) => process.listenerCount(name)).join(" "));
  console.log("ready");
};
const ends = {
  natural: () => undefined,
  exit: () => process.exit(3),
  throw: () => {
    throw new TypeError("thrown by the app");
  },
  reject: () => void Promise.reject(new Error("rejected by the app")),
  signal: waitForSignal,
  handled: () => {
    process.on("uncaughtException", (error, origin) => {
      console.error("handled", error.message, origin);
      setTimeout(() => process.exit(5), 20);
    });
    throw new Error("thrown and handled");
  },
  listeners: () => {
    process.on("exit", (code) => console.log("exit one", code));
    process.prependListener("exit", () => console.log("exit before"));
    process.once("exit", () => {
      console.log("exit two");
      process.exitCode = 9;
    });
    process.on("beforeExit", () => console.log("before exit"));
  },
  ownSigterm: () => {
    process.on("SIGTERM", () => {
      console.log("SIGTERM taken");
      process.exit(4);
    });
    waitForSignal();
  },
};

setTimeout(() => {
  emit();
  ends[ending]();
}, 300);
