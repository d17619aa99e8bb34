import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { isLoginNeeded } from "../data/login-state.ts";
import { language, t } from "../i18n/translate.ts";
import { Card } from "../ui/card.tsx";
import { CrashGuard } from "../ui/crash-guard.tsx";
import { Empty } from "../ui/states.tsx";
import { lazyPage } from "./lazy-page.tsx";
import { link, route } from "./location.ts";
import { Navigation } from "./navigation.tsx";
import { PageFrame } from "./page-frame.tsx";
import type { Route } from "./routes.ts";
import { isHelpOpen } from "./shortcuts.ts";

// Each page brings its own code, so that a first view loads what it shows.
const HomePage = lazyPage(async () => (await import("../pages/home/home-page.tsx")).HomePage);
const AppsPage = lazyPage(async () => (await import("../pages/home/home-page.tsx")).AppsPage);
const ActionPage = lazyPage(async () => (await import("../pages/action/action-page.tsx")).ActionPage);
const ActionsPage = lazyPage(async () => (await import("../pages/actions/actions-page.tsx")).ActionsPage);
const AppPage = lazyPage(async () => (await import("../pages/app/app-page.tsx")).AppPage);
const HostsPage = lazyPage(async () => (await import("../pages/hosts/hosts-page.tsx")).HostsPage);
const TracesPage = lazyPage(async () => (await import("../pages/traces/traces-page.tsx")).TracesPage);
const DatabasesPage = lazyPage(
  async () => (await import("../pages/databases/databases-page.tsx")).DatabasesPage,
);
const CachesPage = lazyPage(async () => (await import("../pages/caches/caches-page.tsx")).CachesPage);
const ExternalPage = lazyPage(async () => (await import("../pages/external/external-page.tsx")).ExternalPage);
const ErrorsPage = lazyPage(async () => (await import("../pages/errors/errors-page.tsx")).ErrorsPage);
const MapPage = lazyPage(async () => (await import("../pages/map/map-page.tsx")).MapPage);
const HostPage = lazyPage(async () => (await import("../pages/host/host-page.tsx")).HostPage);
const TracePage = lazyPage(async () => (await import("../pages/trace/trace-page.tsx")).TracePage);
const SettingsPage = lazyPage(async () => (await import("../pages/settings/settings-page.tsx")).SettingsPage);
const LoginPage = lazyPage(async () => (await import("../pages/login/login-page.tsx")).LoginPage);
const ShortcutHelp = lazyPage(async () => (await import("./shortcut-help.tsx")).ShortcutHelp);

/** Navigation and the page that the URL names. */
export function Shell(): JSX.Element {
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  const current = route.value;
  const key = JSON.stringify(current);
  useEffect(() => {
    document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
  }, [language.value]);
  useEffect(() => {
    // Screen readers and the Tab key start anew at the new page's content.
    if (!isFirst.current) main.current?.focus({ preventScroll: true });
    isFirst.current = false;
  }, [key]);
  if (isLoginNeeded.value) return <LoginPage />;
  return (
    <>
      <a class="skip" href="#main">
        {t("nav.skip")}
      </a>
      <Navigation />
      <main id="main" ref={main} tabIndex={-1}>
        <CrashGuard key={key}>
          <Page route={current} />
        </CrashGuard>
      </main>
      {isHelpOpen.value && <ShortcutHelp />}
    </>
  );
}

function Page({ route }: { route: Route }): JSX.Element {
  switch (route.page) {
    case "home":
      return <HomePage />;
    case "apps":
      return <AppsPage />;
    case "app":
      return <AppPage app={route.app} />;
    case "actions":
      return <ActionsPage app={route.app} />;
    case "action":
      return <ActionPage app={route.app} action={route.action} />;
    case "databases":
      return <DatabasesPage app={route.app} />;
    case "caches":
      return <CachesPage app={route.app} />;
    case "external":
      return <ExternalPage app={route.app} />;
    case "errors":
      return <ErrorsPage app={route.app} />;
    case "map":
      return <MapPage />;
    case "traces":
      return <TracesPage app={route.app} />;
    case "trace":
      return <TracePage traceId={route.traceId} />;
    case "hosts":
      return <HostsPage />;
    case "host":
      return <HostPage host={route.host} />;
    case "settings":
      return <SettingsPage />;
    default:
      return <UnknownPage />;
  }
}

function UnknownPage(): JSX.Element {
  return (
    <PageFrame title={t("nav.pageUnknown")} isTimeless>
      <Card>
        <Empty title={t("nav.pageUnknown")} hint={t("nav.pageUnknownHint")}>
          <a class="button" href={link({ page: "home" })}>
            {t("nav.home")}
          </a>
        </Empty>
      </Card>
    </PageFrame>
  );
}
