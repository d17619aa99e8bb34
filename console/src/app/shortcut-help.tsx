import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n/translate.ts";
import { isHelpOpen } from "./shortcuts.ts";
import "../i18n/en/keys.ts";

/** The list of all keys, opened by `?`. */
export function ShortcutHelp(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const rows: [string, string][] = [
    ["g h", t("keys.home")],
    ["g a", t("keys.app")],
    ["g o", t("keys.hosts")],
    ["t", t("keys.time")],
    ["← →", t("keys.shift")],
    ["z", t("keys.zoomOut")],
    ["c", t("keys.compare")],
    ["l", t("keys.live")],
    ["/", t("keys.search")],
    ["Enter", t("keys.drill")],
    ["?", t("keys.help")],
  ];
  return (
    <dialog ref={dialog} class="help" aria-label={t("keys.title")} onClose={() => (isHelpOpen.value = false)}>
      <h2>{t("keys.title")}</h2>
      <dl>
        {rows.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p class="note">{t("keys.drag")}</p>
      <button type="button" class="button" onClick={() => dialog.current?.close()}>
        {t("keys.close")}
      </button>
    </dialog>
  );
}
