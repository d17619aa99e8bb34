import type { CallGroup } from "../../data/answers.ts";

/** What was called, for a legend: an operation where there is one, else the store. Alike names get a distinguishing end. */
export function groupNames(groups: readonly CallGroup[]): string[] {
  const plain = groups.map(plainName);
  return groups.map((group, i) => {
    const name = plain[i] ?? "";
    const isAlike = plain.filter((one) => one === name).length > 1;
    const end = group.statement === "" ? storeName(group) : group.statement.slice(0, 4);
    return isAlike && end !== "" ? `${name} · ${end}` : name;
  });
}

function plainName(group: CallGroup): string {
  return group.operation === "" ? storeName(group) : group.operation;
}

/** `postgresql db:5432`; the system alone where the app did not say where it is. */
export function storeName({ system, target }: { system: string; target: string }): string {
  return [system, target].filter((part) => part !== "").join(" ");
}
