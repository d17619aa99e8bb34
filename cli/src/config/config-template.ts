import type { ConfigKey, ConfigLayout } from "./config-keys.ts";

/** A commented TOML file with every key at its default; `defaults` are those that depend on the user. */
export function configTemplate(
  program: string,
  layout: ConfigLayout,
  defaults: Readonly<Record<string, string>>,
): string {
  const topKeys = layout.keys.filter((key) => !key.path.includes("."));
  return [
    `# Configuration of the apm ${program}. Every key may be left out; the lines with "#" in front of a key show its default.`,
    `# "apm config check ${program}" says whether this file is valid.`,
    "",
    ...topKeys.flatMap((key) => [...keyLines(key, defaults), ""]),
    ...layout.sections.flatMap((section) => [...sectionLines(section.path, section.sentence, layout), ""]),
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");
}

function sectionLines(path: string, sentence: string, layout: ConfigLayout): string[] {
  const keys = layout.keys.filter((key) => parentOf(key.path) === path);
  if (keys.length > 0) return [`# ${sentence}`, `[${path}]`, ...keys.flatMap((key) => keyLines(key, {}))];
  const named = layout.keys.filter((key) => parentOf(key.path) === `${path}.<name>`);
  return [`# ${sentence}`, `#[${path}.my-app]`, ...named.flatMap((key) => keyLines(key, {}))];
}

function keyLines(key: ConfigKey, defaults: Readonly<Record<string, string>>): string[] {
  const value = defaults[key.path] ?? key.standard;
  const name = key.path.split(".").at(-1) ?? "";
  const expected = key.kind === "text" && !key.expected.startsWith("one of") ? "" : ` (${key.expected})`;
  const origin = value === undefined ? " No default; an example:" : "";
  return [
    `# ${key.sentence}${expected}${origin}`,
    `#${name} = ${JSON.stringify(value ?? key.example ?? "")}`,
  ];
}

function parentOf(path: string): string {
  return path.split(".").slice(0, -1).join(".");
}
