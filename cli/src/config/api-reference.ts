import { API_CALLS, type ApiCall, parameterRows } from "@apm-daemon/collector";

const START = "<!-- from the schemas, by `npm run reference -w cli` -->";
const END = "<!-- /schemas -->";
const HEADING = /^### `(GET|POST|PUT|DELETE) (\/[^`?]*)[^`]*`$/gm;
/** It is no call of the API: everybody may ask it, and it takes nothing. */
const NOT_LISTED = "GET /healthz";

/** docs/api.md with the parameters and refusals of each call made anew. Throws when a call has no section, or a section no call. */
export function apiPage(page: string): string {
  const calls = new Map(API_CALLS.map((call) => [`${call.method} ${call.path}`, call]));
  const bare = page.replaceAll(new RegExp(`\n\n${START}[^]*?${END}\n`, "g"), "");
  const filled = bare.replaceAll(HEADING, (heading, method: string, path: string) => {
    const name = `${method} ${path}`;
    const call = calls.get(name);
    if (name === NOT_LISTED) return heading;
    if (!call) throw new Error(`docs/api.md describes "${name}", which no route answers`);
    calls.delete(name);
    const lines = [...parameterLines(call), ...refusalLines(call)];
    const text = lines.length === 0 ? "" : `\n\n${START}\n${lines.join("\n")}\n${END}\n`;
    return heading + text;
  });
  const [forgotten] = calls.keys();
  if (forgotten !== undefined) throw new Error(`docs/api.md lacks a section "### \`${forgotten}\`"`);
  return filled;
}

function parameterLines({ parameters }: ApiCall): string[] {
  const rows = parameters.filter((set) => set !== "range").flatMap((set) => parameterRows(set));
  const range = parameters.includes("range") ? ["Takes `from` and `to`.", ""] : [];
  if (rows.length === 0) return range;
  return [
    ...range,
    "| parameter | may be | default | what it is |",
    "| --- | --- | --- | --- |",
    ...rows.map(({ name, expected, standard, sentence }) => {
      const cells = [`\`${name}\``, expected, standard || "–", sentence];
      return `| ${cells.join(" | ")} |`;
    }),
    "",
  ];
}

function refusalLines({ refusals }: ApiCall): string[] {
  if (refusals.length === 0) return [];
  const texts = refusals.map(({ status, code, sentence }) =>
    [status, `\`${code}\``, sentence && `(${sentence})`].join(" ").trim(),
  );
  return [`Refused with ${texts.join(", ")}.`];
}
