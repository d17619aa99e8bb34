import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { pageRange } from "../../app/location.ts";
import { endMarks } from "../../chart/end-marks.ts";
import type { AppEnd, EventsAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { KeptNote } from "../../ui/kept-note.tsx";
import { dateTimeText } from "../../ui/time-text.ts";
import { EndReport } from "./end-report.tsx";
import "../../i18n/en/ends.ts";

/** Ends of the app's processes in the range, also marked in the charts; `none` where there was none. */
export function AppEnds({
  app,
  none = () => null,
}: {
  app: string;
  none?: (answer: EventsAnswer) => JSX.Element | null;
}): JSX.Element | null {
  const { data } = useAnswer<EventsAnswer>(apiPaths.events(app), pageRange.value);
  const events = data?.events ?? [];
  const moments = events.map(({ unixMs }) => unixMs).join(" ");
  useEffect(() => {
    endMarks.value = moments === "" ? [] : moments.split(" ").map(Number);
    return () => {
      endMarks.value = [];
    };
  }, [moments]);
  if (data === null || events.length === 0) return data && none(data);
  return (
    <Card class="ends" title={t("ends.title")} note={t("ends.note")}>
      {events.map((event) => (
        <End key={event.id} app={app} event={event} />
      ))}
      <KeptNote answer={data} />
    </Card>
  );
}

function End({ app, event }: { app: string; event: AppEnd }): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="end" open={isOpen} onToggle={(toggled) => setOpen(toggled.currentTarget.open)}>
      <summary>
        <span class="end-time">{dateTimeText(event.unixMs)}</span>
        <b class={event.kind === "vanished" ? "end-kind" : "end-kind bad"}>{t(`ends.${event.kind}`)}</b>
        <span class="end-title">{event.title}</span>
      </summary>
      {isOpen && <EndReport app={app} event={event} />}
    </details>
  );
}
