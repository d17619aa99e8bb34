import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { t } from "../i18n/translate.ts";
import { DemoBadge } from "../ui/demo-badge.tsx";
import { COMPARISONS, comparison } from "./comparison.ts";
import { CopyLink } from "./copy-link.tsx";
import { lazyPage } from "./lazy-page.tsx";
import { LiveButton, LiveProblems } from "./live-button.tsx";
import { changedLink, isRangeRefused, navigate, route, search } from "./location.ts";
import { Settings } from "./navigation.tsx";
import { isHelpOpen, zoomOut } from "./shortcuts.ts";
import { shownApp } from "./shown-app.ts";
import { TimePicker } from "./time-picker.tsx";

const LedgerDialog = lazyPage(
  async () => (await import("../pages/ledger/ledger-dialog.tsx")).LedgerDialog,
  () => null,
);

export interface Crumb {
  label: string;
  href: string;
}

/** What every page has around its cards: where one is, the time range, the keys. */
export function PageFrame(props: {
  title: string;
  crumbs?: Crumb[];
  /** The page has numbers of an earlier time to compare with. */
  hasComparison?: boolean;
  /** The page can show each second as it comes. */
  hasLive?: boolean;
  /** The page shows one fixed moment, so the range means nothing to it. */
  isTimeless?: boolean;
  /** The app whose numbers the page shows, where its address does not name it. */
  app?: string | undefined;
  children: ComponentChildren;
}): JSX.Element {
  const { title, crumbs = [] } = props;
  const ledger = search.value.get("ledger");
  const app = props.app ?? ("app" in route.value ? route.value.app : "");
  useNames(title, props.app ?? null);
  return (
    <>
      <header class="topbar">
        <div class="where">
          {crumbs.map((crumb) => (
            <span key={crumb.href} class="crumb">
              <a href={crumb.href}>{crumb.label}</a> <span aria-hidden="true">/</span>
            </span>
          ))}
          <h1 title={title}>{title}</h1>
          <DemoBadge app={app} />
        </div>
        <div class="tools">
          {!props.isTimeless && <TimePicker />}
          {props.hasLive && <LiveButton />}
          {props.hasComparison && <ComparisonChoice />}
          <CopyLink />
        </div>
      </header>
      {isRangeRefused.value && (
        <p class="notice" role="alert">
          {t("time.badLink")}
        </p>
      )}
      {props.hasLive && <LiveProblems />}
      {props.children}
      {ledger !== null && <LedgerDialog key={ledger} ledger={ledger} />}
      <Keys isTimeless={props.isTimeless ?? false} />
    </>
  );
}

/** Effects apart from `PageFrame`: what lies in its scope would be kept with them, see README.md on memory. */
function useNames(title: string, app: string | null): void {
  useEffect(() => {
    document.title = `${title} · apm-daemon`;
  }, [title]);
  useEffect(() => {
    shownApp.value = app;
  }, [app]);
}

function ComparisonChoice(): JSX.Element {
  return (
    <label class="button compare">
      <span class="note">{t("cmp.label")}</span>
      <select
        value={comparison.value}
        onChange={(event) => {
          const { value } = event.currentTarget;
          navigate(changedLink({ cmp: value === "none" ? null : value }));
        }}
      >
        {COMPARISONS.map((option) => (
          <option key={option} value={option}>
            {t(`cmp.${option}`)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Keys({ isTimeless }: { isTimeless: boolean }): JSX.Element {
  return (
    <footer class="keys">
      {!isTimeless && (
        <>
          <span class="keys-text">{t("keys.drag")}</span>
          <button type="button" class="quiet" onClick={zoomOut}>
            <kbd>z</kbd> {t("time.zoomOut")}
          </button>
        </>
      )}
      <HelpButton />
      <span class="keys-settings">
        <Settings />
      </span>
    </footer>
  );
}

function HelpButton(): JSX.Element {
  return (
    <button type="button" class="quiet keys-text" onClick={() => (isHelpOpen.value = true)}>
      <kbd>?</kbd> {t("keys.help")}
    </button>
  );
}
