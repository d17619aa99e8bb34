import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { CollectorConfigSchema } from "./config.ts";

test("everything but the state directory has a default", () => {
  assert.deepEqual(CollectorConfigSchema.parse({ state_dir: "/var/lib/apm-collector" }), {
    state_dir: "/var/lib/apm-collector",
    listen: "127.0.0.1:8460",
    allowed_hosts: [],
    log: { level: "info" },
    store: { memory_limit_mb: 0, threads: 2, min_free_disk_mb: 1_024, min_free_disk_ratio: 0.05 },
    retention: {
      days: 2,
      minutes_days: 30,
      hours_days: 400,
      traces_days: 3,
      sampled_traces_days: 30,
      records_days: 30,
    },
    limits: { uplinks: 1_000, pending_batches: 400, pending_mb: 32, query_seconds: 10, queries_waiting: 500 },
  });
  assert.equal(CollectorConfigSchema.safeParse({}).success, false);
});

test("all errors are listed at once, unknown keys among them", () => {
  const { error } = CollectorConfigSchema.safeParse({
    state_dir: "",
    listen: "8460",
    retention: { days: 61 },
    store: { thread: 2 },
    colour: true,
  });
  const paths = error?.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => [...issue.path, key].join("."))
      : [issue.path.join(".")],
  );
  assert.deepEqual(paths?.sort(), ["colour", "listen", "retention.days", "state_dir", "store.thread"]);
});

test("an address is HOST:PORT", () => {
  const accepts = (listen: string): boolean =>
    CollectorConfigSchema.safeParse({ state_dir: "/x", listen }).success;
  for (const listen of ["127.0.0.1:0", "localhost:8460", "[::1]:8460", "0.0.0.0:65535"])
    assert.ok(accepts(listen), listen);
  for (const listen of ["", "localhost", ":8460", "::1:8460", "127.0.0.1:65536", "127.0.0.1:x", "a b:1"])
    assert.ok(!accepts(listen), listen);
});

test("allowed hosts are names without scheme, port or path", () => {
  const accepts = (name: string): boolean =>
    CollectorConfigSchema.safeParse({ state_dir: "/x", allowed_hosts: [name] }).success;
  assert.ok(accepts("apm.example.com"));
  for (const name of ["", "https://apm.example.com", "apm.example.com:443", "apm/x", "a b"])
    assert.ok(!accepts(name), name);
});

test("each key has a sentence for the reference page", () => {
  const schema = z.toJSONSchema(CollectorConfigSchema, { io: "input" });
  const check = (node: { properties?: Record<string, unknown> }, path: string): void => {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      const { description } = child as { description?: string };
      assert.match(description ?? "", /^[A-Z].+\.$/, `${path}${key}`);
      check(child as { properties?: Record<string, unknown> }, `${path}${key}.`);
    }
  };
  check(schema, "");
});
