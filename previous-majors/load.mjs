import { createRequire } from "node:module";

/** The libraries of this folder, as ES modules and as CommonJS get them. */
export const imported = (name) => import(name);
export const required = createRequire(import.meta.url);
