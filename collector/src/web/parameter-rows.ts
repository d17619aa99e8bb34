import * as z from "zod";
import { type ParameterSets, SCHEMAS } from "./parameters.ts";

/** A parameter as docs/api.md shows it. */
export interface ParameterRow {
  name: string;
  /** What a value may be, in words. */
  expected: string;
  /** What is taken where it is absent: "required", "" for nothing, else the value. */
  standard: string;
  sentence: string;
}

/** A schema and the ones that it wraps as optional or with a default, outermost first. */
function layers(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault)
    return [schema, ...layers(schema.def.innerType)];
  return [schema];
}

/** The parameters of a set, read off its schema. */
export function parameterRows(set: keyof ParameterSets): ParameterRow[] {
  const schema = SCHEMAS[set];
  if (!(schema instanceof z.ZodObject)) throw new TypeError(`the parameters of "${set}" are no object`);
  const fields = Object.entries(schema.shape);
  return fields.map(([name, field]) => {
    const all = layers(field);
    const said = (key: "expected" | "description" | "standard"): string =>
      all.map((one) => z.globalRegistry.get(one)?.[key]).find((text) => typeof text === "string") ?? "";
    const choice = all.find((one) => one instanceof z.ZodEnum);
    const expected = choice ? choice.options.map((option) => `\`${option}\``).join(", ") : said("expected");
    return { name, expected, standard: said("standard") || standardOf(field), sentence: said("description") };
  });
}

function standardOf(field: z.core.$ZodType): string {
  const result = z.safeParse(field, undefined);
  if (!result.success) return "required";
  return result.data === undefined ? "" : `\`${JSON.stringify(result.data).replaceAll('"', "")}\``;
}
