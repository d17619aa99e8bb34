import type { ComponentChildren, JSX } from "preact";

/** A surface with a heading, a note beside it and a link or control at its end. */
export function Card(props: {
  title?: string;
  note?: string;
  aside?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}): JSX.Element {
  const { title, note, aside } = props;
  return (
    <section class={`card ${props.class ?? ""}`} aria-label={title}>
      {title !== undefined && (
        <header class="card-head">
          <h2>{title}</h2>
          {note !== undefined && <span class="note">{note}</span>}
          {aside !== undefined && <span class="aside">{aside}</span>}
        </header>
      )}
      {props.children}
    </section>
  );
}
