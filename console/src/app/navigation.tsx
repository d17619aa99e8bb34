import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { postJson } from "../data/get-json.ts";
import { isLoggedIn } from "../data/login-state.ts";
import { apiPaths } from "../data/paths.ts";
import { chooseLanguage, language, t } from "../i18n/translate.ts";
import { Icon, type IconName } from "../ui/icon.tsx";
import { offsetText } from "../ui/time-text.ts";
import { chooseZone, ZONES, type ZoneChoice, zoneChoice } from "../ui/zone.ts";
import { link, pageRange, route } from "./location.ts";
import { APP_SECTIONS } from "./routes.ts";
import { isServerReached, server } from "./server-state.ts";
import { shownApp } from "./shown-app.ts";
import { chooseTheme, type ThemeChoice, themeChoice } from "./theme.ts";

/** The left column; on phones a bar at the bottom. */
export function Navigation(): JSX.Element {
  const { page } = route.value;
  const isApps = "app" in route.value || page === "trace";
  return (
    <nav class="sidebar" aria-label={t("nav.main")}>
      <a class="brand" href={link({ page: "home" })}>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <rect width="24" height="24" rx="6" />
          <path d="M4 13h3.5l2-6 4 11 2.5-7 1 2h3" />
        </svg>
        <span>apm-daemon</span>
      </a>
      <ul>
        <Item icon="home" label={t("nav.home")} href={link({ page: "home" })} isCurrent={page === "home"} />
        <Item
          icon="apps"
          label={t("nav.apps")}
          href={link({ page: "apps" })}
          isCurrent={page === "apps"}
          isInside={isApps}
        />
        <AppItems />
        <Item icon="map" label={t("nav.map")} href={link({ page: "map" })} isCurrent={page === "map"} />
        <Item
          icon="hosts"
          label={t("nav.hosts")}
          href={link({ page: "hosts" })}
          isCurrent={page === "hosts"}
          isInside={page === "host"}
        />
        <HostItem />
        <Item
          icon="settings"
          label={t("nav.settings")}
          href={link({ page: "settings" })}
          isCurrent={page === "settings"}
        />
      </ul>
      <Foot />
    </nav>
  );
}

interface ItemProps {
  icon?: IconName;
  label: string;
  href: string;
  isCurrent: boolean;
  /** The page shown lies below this one. */
  isInside?: boolean;
}

function Item({ icon, label, href, isCurrent, isInside = false }: ItemProps): JSX.Element {
  return (
    <li class={icon ? undefined : "sub"}>
      <a href={href} aria-current={isCurrent ? "page" : undefined} data-inside={isInside || isCurrent}>
        {icon && <Icon name={icon} />}
        <span>{label}</span>
      </a>
    </li>
  );
}

/** The pages of the app that is shown; on phones a row that scrolls, which keeps the current one in sight. */
function AppItems(): JSX.Element | null {
  const list = useRef<HTMLUListElement>(null);
  const current = route.value;
  useEffect(() => {
    const item = list.current?.querySelector("[aria-current], [data-inside=true]");
    if (item instanceof HTMLElement && list.current)
      list.current.scrollLeft = item.offsetLeft - (list.current.clientWidth - item.offsetWidth) / 2;
  }, [current.page, shownApp.value]);
  const app = "app" in current ? current.app : current.page === "trace" ? shownApp.value : null;
  if (app === null) return null;
  const { page } = current;
  return (
    <li class="sub-list">
      <p class="sub-name">{app}</p>
      <ul ref={list} aria-label={app}>
        <Item label={t("nav.overview")} href={link({ page: "app", app })} isCurrent={page === "app"} />
        <Item
          label={t("nav.actions")}
          href={link({ page: "actions", app })}
          isCurrent={page === "actions" || page === "action"}
        />
        {APP_SECTIONS.map((section) => (
          <Item
            key={section}
            label={t(`nav.${section}`)}
            href={link({ page: section, app })}
            isCurrent={page === section}
            isInside={section === "traces" && page === "trace"}
          />
        ))}
      </ul>
    </li>
  );
}

function HostItem(): JSX.Element | null {
  const current = route.value;
  if (current.page !== "host") return null;
  return <Item label={current.host} href={link(current)} isCurrent />;
}

function Foot(): JSX.Element {
  const state = server.value;
  return (
    <div class="sidebar-foot">
      <p role="status">
        <span class={isServerReached.value ? "dot dot-up" : "dot dot-down"} aria-hidden="true" />
        {isServerReached.value ? t("nav.collectorUp") : t("nav.collectorDown")}
        {state !== null && <span class="note"> {state.version}</span>}
      </p>
      {state !== null && <p>{t("nav.hostCount", { hosts: state.hosts, apps: state.apps })}</p>}
      <p>{t("time.zone", { zone: offsetText(pageRange.value.toMs) })}</p>
      <Settings />
    </div>
  );
}

const THEMES: readonly {
  choice: ThemeChoice;
  label: "nav.themeAuto" | "nav.themeLight" | "nav.themeDark";
}[] = [
  { choice: "auto", label: "nav.themeAuto" },
  { choice: "light", label: "nav.themeLight" },
  { choice: "dark", label: "nav.themeDark" },
];

async function logOut(): Promise<void> {
  await postJson(apiPaths.logout(), AbortSignal.timeout(10_000));
  window.location.reload();
}

/** Language, theme and time zone, all kept in this browser, and the way out. */
export function Settings(): JSX.Element {
  return (
    <div class="settings">
      <button
        type="button"
        class="quiet"
        aria-label={`${t("nav.language")}: ${language.value === "zh" ? "English" : "中文"}`}
        onClick={() => void chooseLanguage(language.value === "zh" ? "en" : "zh")}
      >
        {language.value === "zh" ? "English" : "中文"}
      </button>
      <select
        aria-label={t("nav.theme")}
        value={themeChoice.value}
        onChange={(event) => chooseTheme(event.currentTarget.value as ThemeChoice)}
      >
        {THEMES.map(({ choice, label }) => (
          <option key={choice} value={choice}>
            {t(label)}
          </option>
        ))}
      </select>
      <select
        aria-label={t("nav.zone")}
        value={zoneChoice.value}
        onChange={(event) => chooseZone(event.currentTarget.value as ZoneChoice)}
      >
        {ZONES.map((zone) => (
          <option key={zone} value={zone}>
            {t(`nav.zone.${zone}`)}
          </option>
        ))}
      </select>
      {isLoggedIn && (
        <button type="button" class="quiet" onClick={() => void logOut()}>
          {t("nav.logout")}
        </button>
      )}
    </div>
  );
}
