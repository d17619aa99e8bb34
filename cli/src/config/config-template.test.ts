import assert from "node:assert/strict";
import { test } from "node:test";
import { CollectorConfigSchema } from "@apm-daemon/collector";
import { DaemonConfigSchema } from "@apm-daemon/daemon";
import { parse } from "smol-toml";
import { configLayout } from "./config-keys.ts";
import { configTemplate } from "./config-template.ts";

const defaults = { state_dir: "/var/lib/x", run_dir: "/run/x" };
const programs = { daemon: DaemonConfigSchema, collector: CollectorConfigSchema };

for (const [program, schema] of Object.entries(programs)) {
  const layout = configLayout(schema);
  const template = configTemplate(program, layout, defaults);

  test(`${program}: as written, everything is at its default`, () => {
    const places = program === "daemon" ? defaults : { state_dir: defaults.state_dir };
    assert.deepEqual(schema.parse({ ...places, ...parse(template) }), schema.parse(places));
  });

  test(`${program}: with every "#" before a key removed it is valid and names every key`, () => {
    const text = template.replaceAll(/^#([a-z_]+ = |\[)/gm, "$1");
    assert.doesNotThrow(() => schema.parse(parse(text)));
    for (const key of layout.keys) {
      const name = key.path.split(".").at(-1) ?? "";
      assert.match(text, new RegExp(`^${name} = `, "m"));
    }
  });
}
