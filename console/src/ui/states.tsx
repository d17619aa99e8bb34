import type { ComponentChildren, JSX } from "preact";
import type { ApiError } from "../data/get-json.ts";
import type { Answer } from "../data/use-answer.ts";
import { t } from "../i18n/translate.ts";

/** A sentence for people: what failed and what to do next. */
export function errorText(error: ApiError): string {
  if (error.code === "UNREACHABLE") return t("state.unreachable", { origin: window.location.host });
  if (error.code === "NOT_JSON") return t("state.notJson");
  return error.message;
}

/** One message that says which case of "nothing" this is, and the next command or step. */
export function Empty(props: {
  title: string;
  hint?: string;
  command?: string;
  children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="empty">
      <p class="empty-title">{props.title}</p>
      {props.hint !== undefined && <p>{props.hint}</p>}
      {props.command !== undefined && <pre class="command">{props.command}</pre>}
      {props.children}
    </div>
  );
}

/** The reason inside the card that lacks its data, with a way to try again. */
export function Failure({ error, onRetry }: { error: ApiError; onRetry: () => void }): JSX.Element {
  return (
    <div class="empty" role="alert">
      <p class="empty-title">{t("state.failed")}</p>
      <p>{errorText(error)}</p>
      <button type="button" class="button" onClick={onRetry}>
        {t("state.retry")}
      </button>
    </div>
  );
}

/** What an answer's card shows: a skeleton, the failure, or the content, which stays while newer data is fetched. */
export function Answered<T>(props: {
  answer: Answer<T>;
  size?: "kpi" | "chart" | "chart-tall" | "table";
  /** What to show instead of an error that means "there is no such thing". */
  missing?: JSX.Element;
  children: (data: T) => ComponentChildren;
}): JSX.Element {
  const { answer, size = "table", missing } = props;
  if (answer.data !== null) {
    return (
      <>
        {answer.isBusy && <i class="busy" aria-hidden="true" />}
        {answer.error !== null && (
          <p class="stale" role="status">
            {t("state.stale", { reason: errorText(answer.error) })}{" "}
            <button type="button" class="quiet" onClick={answer.retry}>
              {t("state.retry")}
            </button>
          </p>
        )}
        {props.children(answer.data)}
      </>
    );
  }
  if (answer.error?.status === 404 && missing) return missing;
  if (answer.error !== null) return <Failure error={answer.error} onRetry={answer.retry} />;
  return <div class={`skeleton skeleton-${size}`} role="status" aria-label={t("state.loading")} />;
}
