import type { JSX } from "preact";
import { CallDetail } from "../calls/call-detail.tsx";
import { storeName } from "../calls/call-name.ts";

/** One command of a cache or NoSQL store. */
export function CommandDetail({ app, parts }: { app: string; parts: string[] }): JSX.Element {
  const [system = "", target = "", operation = "", statement = ""] = parts;
  return (
    <CallDetail
      app={app}
      keys={{ category: "cache", system, target, operation, statement }}
      name={operation}
      by="operation"
    >
      {(group) => <p class="note">{`${group.operation} · ${storeName(group)}`}</p>}
    </CallDetail>
  );
}
