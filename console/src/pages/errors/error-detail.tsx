import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { changedLink, link, pageRange } from "../../app/location.ts";
import type { ErrorGroupAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { ActionName } from "../../ui/action-name.tsx";
import { Card } from "../../ui/card.tsx";
import { KeptNote } from "../../ui/kept-note.tsx";
import { count, percent, text } from "../../ui/number-text.ts";
import { Answered, Empty } from "../../ui/states.tsx";
import { Table } from "../../ui/table.tsx";
import { dateTimeText } from "../../ui/time-text.ts";
import "../../i18n/en/errors.ts";

/** One group of errors: its stack, where it happened, traces that show it. */
export function ErrorDetail({ app, group }: { app: string; group: string }): JSX.Element {
  const answer = useAnswer<ErrorGroupAnswer>(apiPaths.errorGroup(app, group), pageRange.value);
  useEffect(() => window.scrollTo(0, 0), []);
  return (
    <>
      <p>
        <a href={changedLink({ sel: null })}>← {t("errors.back")}</a>
      </p>
      <Answered
        answer={answer}
        missing={
          <Card>
            <Empty title={t("errors.gone")} hint={t("errors.goneHint")} />
          </Card>
        }
      >
        {(data) => <Content app={app} error={data} />}
      </Answered>
    </>
  );
}

function Content({ app, error }: { app: string; error: ErrorGroupAnswer }): JSX.Element {
  return (
    <>
      <Card title={error.type}>
        <p class="span-error">{error.message || t("errors.noMessage")}</p>
        <dl class="facts facts-row error-facts">
          <Fact name={t("metric.count")} value={text(count(error.count))} />
          <Fact name={t("errors.first")} value={dateTimeText(error.firstEverUnixMs)} />
          <Fact name={t("metric.lastSeen")} value={dateTimeText(error.lastUnixMs)} />
        </dl>
        <KeptNote answer={error} />
        <h3 class="card-part">{t("errors.stack")}</h3>
        {error.stack === "" ? (
          <p class="note">{t("errors.noStack")}</p>
        ) : (
          <pre class="command">{error.stack}</pre>
        )}
      </Card>
      <div class="grid">
        <Card class="span-6" title={t("errors.places")}>
          <Places app={app} error={error} />
        </Card>
        <Card class="span-6" title={t("errors.samples")} note={t("errors.samplesNote")}>
          {error.samples.length === 0 ? (
            <Empty title={t("errors.noSamples")} hint={t("errors.noSamplesHint")} />
          ) : (
            <Samples error={error} />
          )}
        </Card>
      </div>
    </>
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

function Places({ app, error }: { app: string; error: ErrorGroupAnswer }): JSX.Element {
  return (
    <Table
      label={t("errors.places")}
      class="fixed-first"
      rows={error.places}
      keyOf={(row) => `${row.action} ${row.host}`}
      columns={[
        {
          key: "action",
          label: t("metric.action"),
          cell: (row) => (
            <a
              class="row-link clip"
              href={link({ page: "action", app, action: row.action })}
              title={row.action}
            >
              <ActionName name={row.action} />
            </a>
          ),
        },
        { key: "host", label: t("metric.host"), cell: (row) => row.host },
        { key: "count", label: t("metric.count"), isNumber: true, cell: (row) => text(count(row.count)) },
        {
          key: "share",
          label: t("metric.share"),
          isNumber: true,
          cell: (row) => text(percent(row.count / error.count)),
        },
      ]}
    />
  );
}

function Samples({ error }: { error: ErrorGroupAnswer }): JSX.Element {
  return (
    <Table
      label={t("errors.samples")}
      class="fixed-first"
      rows={error.samples}
      keyOf={(row) => row.traceId}
      columns={[
        {
          key: "action",
          label: t("metric.action"),
          cell: (row) => (
            <span class="two-lines">
              <a
                class="row-link clip"
                href={link({ page: "trace", traceId: row.traceId })}
                title={row.traceId}
              >
                <ActionName name={row.action} />
              </a>
              <small class="clip" title={row.message}>
                {row.message || t("errors.noMessage")}
              </small>
            </span>
          ),
        },
        { key: "host", label: t("metric.host"), cell: (row) => row.host },
        { key: "time", label: t("metric.lastSeen"), isNumber: true, cell: (row) => dateTimeText(row.unixMs) },
      ]}
    />
  );
}
