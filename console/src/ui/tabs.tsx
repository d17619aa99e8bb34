import type { JSX } from "preact";

/** Choices of one kind as links, because the choice stands in the URL. */
export function Tabs(props: {
  label: string;
  tabs: { label: string; href: string; isCurrent: boolean }[];
}): JSX.Element {
  return (
    <nav class="tabs" aria-label={props.label}>
      {props.tabs.map((tab) => (
        <a key={tab.href} href={tab.href} aria-current={tab.isCurrent ? "true" : undefined}>
          {tab.label}
        </a>
      ))}
    </nav>
  );
}
