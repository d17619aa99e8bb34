import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t, textsLoaded } from "../i18n/translate.ts";
import { Card } from "../ui/card.tsx";
import { Empty } from "../ui/states.tsx";

/**
 * A part of the console whose code comes when it is first shown; it stays loaded from then on. Meanwhile `Waiting` stands there:
 * a function, since an element that outlives its page keeps all that the page ever showed in memory, by way of its parents.
 */
export function lazyPage<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  Waiting: () => JSX.Element | null = () => <div class="skeleton skeleton-chart-tall" />,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | null = null;
  return function LazyPage(props: Props): JSX.Element | null {
    const [page, setPage] = useState<{ component: ComponentType<Props> | null }>({ component: loaded });
    const [isFailed, setFailed] = useState(false);
    useEffect(() => {
      if (loaded !== null) return;
      load().then(
        async (component) => {
          await textsLoaded();
          loaded = component;
          setPage({ component });
        },
        () => setFailed(true),
      );
    }, []);
    if (isFailed) return <LoadFailure />;
    const Component = page.component;
    return Component === null ? <Waiting /> : <Component {...props} />;
  };
}

/** The collector is gone, or was replaced by a version whose files have other names: a reload settles both. */
function LoadFailure(): JSX.Element {
  return (
    <Card>
      <Empty title={t("state.failed")} hint={t("state.unreachable", { origin: window.location.host })}>
        <button type="button" class="button" onClick={() => window.location.reload()}>
          {t("state.retry")}
        </button>
      </Empty>
    </Card>
  );
}
