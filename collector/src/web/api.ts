import { type Context, Hono } from "hono";
import type { TextFetch } from "../flight-recorder/text-fetch.ts";
import type { TraceFetch } from "../flight-recorder/trace-fetch.ts";
import type { LivePolls } from "../live/live-polls.ts";
import type { JobStatus } from "../maintenance-jobs.ts";
import { actions } from "../query/actions.ts";
import { appLedger } from "../query/app-ledger.ts";
import { appSeries } from "../query/app-series.ts";
import { appSummary, apps } from "../query/apps.ts";
import { counters } from "../query/counters.ts";
import { errorGroup } from "../query/error-group.ts";
import { errorSeries } from "../query/error-series.ts";
import { errors } from "../query/errors.ts";
import { ends, events } from "../query/events.ts";
import { heatmap } from "../query/heatmap.ts";
import { hostProcesses, hostSeries, hostSnapshot } from "../query/host-details.ts";
import { hostLane } from "../query/host-lane.ts";
import { hosts } from "../query/hosts.ts";
import { operationSamples } from "../query/operation-samples.ts";
import { operationSeries } from "../query/operation-series.ts";
import { operations } from "../query/operations.ts";
import { rank } from "../query/rank.ts";
import { hostLedger } from "../query/sample-completeness.ts";
import { selection } from "../query/selection.ts";
import { ServerInfo } from "../query/server-info.ts";
import { serviceMap } from "../query/service-map.ts";
import { slowStatements } from "../query/slow-statements.ts";
import { statusCodes } from "../query/status-codes.ts";
import { streamLedger } from "../query/stream-ledger.ts";
import type { QueryRange } from "../query/time-range.ts";
import { trace } from "../query/trace.ts";
import { traces } from "../query/traces.ts";
import { appVerdicts, verdicts } from "../query/verdicts.ts";
import type { Store } from "../store/store.ts";
import { kindFilter, type ParameterSets, readParameters, readRange } from "./parameters.ts";

export interface ApiOptions {
  store: Store;
  traceFetch: TraceFetch;
  livePolls: LivePolls;
  textFetch: TextFetch;
  version: string;
  /** Uplinks open now. */
  uplinks: () => number;
  jobs: () => JobStatus[];
  clock: () => number;
}

/** The calls of docs/api.md below /api/v1. What they throw is turned into answers by the web server. */
export function api({
  store,
  traceFetch,
  livePolls,
  textFetch,
  version,
  uplinks,
  jobs,
  clock,
}: ApiOptions): Hono {
  const routes = new Hono();
  const server = new ServerInfo(store);
  const range = (c: Context): QueryRange => readRange(c.req.query(), clock(), store);
  const parameters = <Call extends keyof ParameterSets>(c: Context, call: Call): ParameterSets[Call] =>
    readParameters(call, c.req.query());
  const app = (c: Context): string => c.req.param("app") ?? "";
  const host = (c: Context): string => c.req.param("host") ?? "";

  routes.get("/hosts", async (c) => c.json(await hosts(store, range(c))));
  routes.get("/hosts/:host/series", async (c) =>
    c.json(await hostSeries(store, host(c), range(c), parameters(c, "hostSeries"))),
  );
  routes.get("/hosts/:host/snapshot", async (c) => c.json(await hostSnapshot(store, host(c), range(c))));
  routes.get("/hosts/:host/processes", async (c) => c.json(await hostProcesses(store, host(c), range(c))));

  routes.get("/hosts/:host/ledger", async (c) => c.json(await hostLedger(store, host(c), range(c))));

  routes.get("/hosts/:host/live", (c) => c.json(livePolls.poll(host(c), parameters(c, "live").after)));
  routes.get("/apps", async (c) =>
    c.json(await apps(store, range(c), kindFilter(parameters(c, "kind").kind))),
  );
  routes.get("/apps/:app/summary", async (c) =>
    c.json(await appSummary(store, app(c), range(c), kindFilter(parameters(c, "kind").kind))),
  );
  routes.get("/apps/:app/series", async (c) => {
    const { action, kind, stepMs } = parameters(c, "appSeries");
    return c.json(await appSeries(store, app(c), range(c), { action, kind: kindFilter(kind), stepMs }));
  });
  routes.get("/apps/:app/actions", async (c) => {
    const { kind, sort } = parameters(c, "actions");
    return c.json(await actions(store, app(c), range(c), { kind: kindFilter(kind), sort }));
  });
  routes.get("/apps/:app/status-codes", async (c) =>
    c.json(await statusCodes(store, app(c), range(c), parameters(c, "statusCodes").action)),
  );
  routes.get("/apps/:app/operations", async (c) => {
    const { action, category } = parameters(c, "operations");
    return c.json(await operations(store, app(c), range(c), { action, category }));
  });
  routes.get("/apps/:app/operations/series", async (c) =>
    c.json(await operationSeries(store, app(c), range(c), parameters(c, "operationSeries"))),
  );
  routes.get("/apps/:app/operations/samples", async (c) =>
    c.json(await operationSamples(store, app(c), range(c), parameters(c, "operationSamples"))),
  );
  routes.get("/apps/:app/errors/series", async (c) =>
    c.json(await errorSeries(store, app(c), range(c), parameters(c, "errorSeries"))),
  );
  routes.get("/apps/:app/errors/groups/:group", async (c) => {
    const { group } = readParameters("errorGroup", c.req.param());
    return c.json(await errorGroup(store, app(c), group, range(c)));
  });
  routes.get("/map", async (c) => c.json(await serviceMap(store, range(c))));
  routes.get("/apps/:app/errors", async (c) => c.json(await errors(store, app(c), range(c))));
  routes.get("/apps/:app/ledger", async (c) => c.json(await appLedger(store, app(c), range(c))));
  routes.get("/apps/:app/counters", async (c) =>
    c.json(await counters(store, app(c), range(c), parameters(c, "counters"))),
  );
  routes.get("/apps/:app/slow-statements", async (c) =>
    c.json(await slowStatements(store, app(c), range(c), parameters(c, "slowStatements"))),
  );
  routes.get("/apps/:app/events", async (c) =>
    c.json(await events(store, app(c), range(c), parameters(c, "events").limit)),
  );
  routes.get("/apps/:app/traces", async (c) => {
    const { action, error, repeats: hasRepeat, sort, limit } = parameters(c, "traces");
    return c.json(await traces(store, app(c), range(c), { action, error, hasRepeat, sort, limit }));
  });
  routes.get("/traces/:traceId", async (c) => {
    const { traceId } = readParameters("trace", c.req.param());
    return c.json(await trace(store, traceId));
  });
  routes.get("/ledger", async (c) => {
    const { stream, upTo } = parameters(c, "ledger");
    return c.json(await streamLedger(store, stream, range(c), { upTo }));
  });
  routes.post("/traces/:traceId/fetch", async (c) => {
    const { traceId } = readParameters("trace", c.req.param());
    const { trace: whole, hosts: asked } = await traceFetch.fetch(traceId, parameters(c, "fetch").deadlineMs);
    if (whole !== null) return c.json(whole);
    const message = `no host has any span of the trace ${traceId}`;
    return c.json({ error: { code: "NOT_FOUND", message }, hosts: asked }, 404);
  });
  routes.post("/statements/:statement/text", async (c) => {
    const { statement } = readParameters("statement", c.req.param());
    return c.json(await textFetch.fetch(statement, parameters(c, "fetch").deadlineMs));
  });
  routes.get("/hosts/:host/lane", async (c) =>
    c.json(await hostLane(store, host(c), range(c), parameters(c, "hostLane"))),
  );
  routes.get("/apps/:app/rank", async (c) =>
    c.json(await rank(store, app(c), range(c), parameters(c, "rank"))),
  );
  routes.get("/apps/:app/heatmap", async (c) =>
    c.json(await heatmap(store, app(c), range(c), parameters(c, "heatmap"))),
  );
  routes.get("/apps/:app/selection", async (c) =>
    c.json(await selection(store, app(c), range(c), parameters(c, "selection"))),
  );
  routes.get("/apps/:app/verdicts", async (c) => c.json(await appVerdicts(store, app(c), range(c))));
  routes.get("/verdicts", async (c) => c.json(await verdicts(store, range(c))));
  routes.get("/ends", async (c) => c.json(await ends(store, range(c), parameters(c, "ends").limit)));
  routes.get("/server", async (c) =>
    c.json(await server.answer({ version, nowMs: clock(), uplinks: uplinks(), jobs: jobs() })),
  );
  return routes;
}
