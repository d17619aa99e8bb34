import type { JSX } from "preact";
import { link } from "../../app/location.ts";
import type { AttributeValue, SpanEvent, TraceSpan } from "../../data/answers.ts";
import { t } from "../../i18n/translate.ts";
import { duration, text } from "../../ui/number-text.ts";
import { ownTimeMs } from "./span-rows.ts";
import { colorOf } from "./waterfall.tsx";
import "../../i18n/en/trace.ts";
import "../../i18n/en/traces.ts";

/** All that is known of one span. */
export function SpanPanel(props: {
  span: TraceSpan | null;
  spans: readonly TraceSpan[];
  startMs: number;
}): JSX.Element {
  const { span, spans, startMs } = props;
  if (span === null) return <p class="note">{t("trace.pick")}</p>;
  return (
    <div class="span-panel">
      <h3 class="mono">
        <i class={`swatch fill-${colorOf(span.category)}`} aria-hidden="true" /> {span.name}
      </h3>
      {span.error && (
        <p class="span-error">
          <b>✕ {t("traces.error")}</b> {span.statusMessage}
        </p>
      )}
      <dl class="facts">
        <Fact name={t("metric.duration")} value={text(duration(span.durationMs))} />
        <Fact name={t("trace.self")} value={text(duration(ownTimeMs(span, spans)))} />
        <Fact name={t("trace.offset")} value={text(duration(Math.max(0, span.startUnixMs - startMs)))} />
        <Fact name={t("trace.category")} value={`${t(`trace.category.${span.category}`)} · ${span.kind}`} />
        <div>
          <dt>{t("metric.app")}</dt>
          <dd>
            <a href={link({ page: "app", app: span.app })}>{span.app}</a> ·{" "}
            <a href={link({ page: "host", host: span.host })}>{span.host}</a>
          </dd>
        </div>
        <Fact name={t("trace.instance")} value={span.instance} />
      </dl>
      <h4>{t("trace.attributes")}</h4>
      <Attributes attributes={span.attributes} />
      {span.events.length > 0 && <h4>{t("trace.events")}</h4>}
      {span.events.map((event, index) => (
        <Event key={index} event={event} startMs={startMs} />
      ))}
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Attributes({ attributes }: { attributes: Record<string, AttributeValue> }): JSX.Element {
  const entries = Object.entries(attributes).sort(([a], [b]) => a.localeCompare(b));
  if (entries.length === 0) return <p class="note">{t("trace.noAttributes")}</p>;
  return (
    <dl class="attributes">
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="mono">{Array.isArray(value) ? value.join(", ") : String(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

function Event({ event, startMs }: { event: SpanEvent; startMs: number }): JSX.Element {
  return (
    <section class="event">
      <p>
        <b>{event.name}</b>{" "}
        <span class="note">+{text(duration(Math.max(0, event.startUnixMs - startMs)))}</span>
      </p>
      <Attributes attributes={event.attributes} />
    </section>
  );
}
