import type { JSX } from "preact";

/** An action's name with its HTTP method set back, so that the route catches the eye. */
export function ActionName({ name }: { name: string }): JSX.Element {
  const match = /^([A-Z]{3,7}) (.+)$/.exec(name);
  if (!match) return <span class="mono strong">{name}</span>;
  return (
    <span class="mono">
      <span class="method">{match[1]}</span> <span class="strong">{match[2]}</span>
    </span>
  );
}
