import { Component, type ComponentChildren } from "preact";
import { t } from "../i18n/translate.ts";
import { Card } from "./card.tsx";
import { Empty } from "./states.tsx";

interface Props {
  children: ComponentChildren;
}

/** Keeps navigation alive when a page cannot be drawn, e.g. because an answer has another shape than documented. */
export class CrashGuard extends Component<Props, { reason: string | null }> {
  override state = { reason: null };

  override componentDidCatch(error: unknown): void {
    console.error(error);
    this.setState({ reason: error instanceof Error ? error.message : String(error) });
  }

  override render(): ComponentChildren {
    if (this.state.reason === null) return this.props.children;
    return (
      <Card>
        <Empty title={t("state.notDrawn")} hint={t("state.notDrawnHint", { reason: this.state.reason })}>
          <button type="button" class="button" onClick={() => window.location.reload()}>
            {t("state.retry")}
          </button>
        </Empty>
      </Card>
    );
  }
}
