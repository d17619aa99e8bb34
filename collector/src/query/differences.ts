/** What each looked-at request says of one attribute: a value, none, or, of what it calls, several; null: it is not known. */
export interface Described {
  isSelected: boolean;
  attributes: ReadonlyMap<string, readonly string[] | null>;
}

/** How often a value occurs among the selected requests, and among the rest. */
export interface Difference {
  attribute: string;
  value: string;
  /** Counted over: all requests, by their counters, or a sample of the kept traces. */
  basis: "requests" | "traces";
  selected: number;
  selectedOf: number;
  rest: number;
  restOf: number;
  selectedShare: number;
  restShare: number;
}

/** Fewer cases on one side say nothing. */
export const MIN_SIDE = 10;
/** A value must occur so often among the selected ones. */
export const MIN_SELECTED = 3;
/** Shares closer than this are alike. */
const MIN_DIFFERENCE = 0.05;
/** Standard errors that a difference of shares must exceed: chance alone does so about once in forty times. */
const MIN_ERRORS = 2;
const MAX_DIFFERENCES = 20;

export type Tally = Pick<
  Difference,
  "attribute" | "value" | "basis" | "selected" | "selectedOf" | "rest" | "restOf"
>;

/** Counts values over requests of which both sides are known. */
export function tallies(requests: readonly Described[]): Tally[] {
  const knownSides = new Map<string, Pick<Tally, "selectedOf" | "restOf">>();
  const knownOf = (attribute: string): Pick<Tally, "selectedOf" | "restOf"> => {
    const before = knownSides.get(attribute);
    if (before) return before;
    const known = requests.filter(({ attributes }) => attributes.get(attribute) !== null);
    const selectedOf = known.filter(({ isSelected }) => isSelected).length;
    const sides = { selectedOf, restOf: known.length - selectedOf };
    knownSides.set(attribute, sides);
    return sides;
  };
  const found = new Map<string, Tally>();
  for (const { isSelected, attributes } of requests) {
    for (const [attribute, values] of attributes) {
      for (const value of new Set(values ?? [])) {
        const key = JSON.stringify([attribute, value]);
        const tally = found.get(key) ?? {
          attribute,
          value,
          basis: "traces" as const,
          selected: 0,
          rest: 0,
          ...knownOf(attribute),
        };
        tally[isSelected ? "selected" : "rest"]++;
        found.set(key, tally);
      }
    }
  }
  return [...found.values()];
}

/**
 * What occurs more often among the selected requests than among the rest, by the difference of the two shares, highest
 * first. What may well be chance is left out: see the constants.
 */
export function rankDifferences(counted: readonly Tally[]): Difference[] {
  return counted
    .map((tally) => ({
      ...tally,
      selectedShare: tally.selectedOf === 0 ? 0 : tally.selected / tally.selectedOf,
      restShare: tally.restOf === 0 ? 0 : tally.rest / tally.restOf,
    }))
    .filter(isMoreThanChance)
    .sort(
      (a, b) =>
        b.selectedShare - b.restShare - (a.selectedShare - a.restShare) ||
        a.attribute.localeCompare(b.attribute) ||
        a.value.localeCompare(b.value),
    )
    .slice(0, MAX_DIFFERENCES);
}

function isMoreThanChance(one: Difference): boolean {
  const { selected, selectedOf, rest, restOf } = one;
  if (selectedOf < MIN_SIDE || restOf < MIN_SIDE || selected < MIN_SELECTED) return false;
  const difference = one.selectedShare - one.restShare;
  const both = (selected + rest) / (selectedOf + restOf);
  const error = Math.sqrt(both * (1 - both) * (1 / selectedOf + 1 / restOf));
  return difference >= MIN_DIFFERENCE && difference > MIN_ERRORS * error;
}
