import type { JSX } from "preact";
import { apiPaths } from "../../data/paths.ts";
import { CallDetail } from "../calls/call-detail.tsx";
import { SlowCallsCard } from "./slow-calls-card.tsx";
import { StatementText } from "./statement-text.tsx";

/** One statement on one database. */
export function StatementDetail({ app, parts }: { app: string; parts: string[] }): JSX.Element {
  const [system = "", target = "", operation = "", statement = ""] = parts;
  return (
    <CallDetail
      app={app}
      keys={{ category: "database", system, target, operation, statement }}
      name={operation}
      by="operation"
      after={statement !== "" && <SlowCallsCard path={apiPaths.statementCalls(app, statement)} />}
    >
      {(group) => <StatementText group={group} />}
    </CallDetail>
  );
}
