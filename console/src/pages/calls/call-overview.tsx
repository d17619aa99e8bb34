import type { ComponentChildren, JSX } from "preact";
import type { CallSeriesAnswer } from "../../data/answers.ts";
import type { Answer } from "../../data/use-answer.ts";
import { Card } from "../../ui/card.tsx";
import { Answered, Empty } from "../../ui/states.tsx";
import { UnknownApp } from "../app/unknown-app.tsx";
import { CallCountChart, CallErrorChart, CallTimeChart } from "./call-charts.tsx";

/** Time, number and failures of an app's calls; one message for the page where there is none. */
export function CallOverview(props: {
  app: string;
  answer: Answer<CallSeriesAnswer>;
  compared: CallSeriesAnswer | null;
  empty: { title: string; hint: string };
  /** Above the charts. */
  controls?: ComponentChildren;
  /** Below them, where there are calls. */
  children: (series: CallSeriesAnswer) => ComponentChildren;
}): JSX.Element {
  const { app, answer, compared, empty, controls, children } = props;
  return (
    <Answered
      answer={answer}
      size="chart"
      missing={
        <Card>
          <UnknownApp app={app} />
        </Card>
      }
    >
      {(series) => {
        if (series.all.calls === 0)
          return (
            <Card>
              <Empty {...empty} />
            </Card>
          );
        const charts = { subject: app, series, compared };
        return (
          <>
            {controls}
            <div class="grid">
              <Card class="span-6">
                <CallTimeChart {...charts} />
              </Card>
              <Card class="span-3">
                <CallCountChart {...charts} />
              </Card>
              <Card class="span-3">
                <CallErrorChart {...charts} />
              </Card>
            </div>
            {children(series)}
          </>
        );
      }}
    </Answered>
  );
}
