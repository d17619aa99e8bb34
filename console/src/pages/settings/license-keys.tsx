import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { ApiError } from "../../data/get-json.ts";
import { apiPaths } from "../../data/paths.ts";
import { sendJson } from "../../data/send-json.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { Answered, errorText } from "../../ui/states.tsx";
import { Table } from "../../ui/table.tsx";
import { dateTimeText } from "../../ui/time-text.ts";
import type { Daemon, LicenseKey, NewKey } from "./settings-answers.ts";
import "../../i18n/en/settings.ts";

/** Keys by name, never themselves but in the moment of their making. */
export function LicenseKeysCard({ daemons }: { daemons: readonly Daemon[] }): JSX.Element {
  const keys = useAnswer<{ keys: LicenseKey[] }>(apiPaths.keys(), null);
  const created = useSignal<NewKey | null>(null);
  const problem = useSignal("");
  const change = async (call: () => Promise<void>): Promise<void> => {
    problem.value = "";
    try {
      await call();
    } catch (error) {
      problem.value = errorText(error as ApiError);
    }
    keys.retry();
  };
  return (
    <Card title={t("settings.keys")} note={t("settings.keysNote")}>
      <Answered answer={keys}>
        {({ keys: list }) =>
          list.length === 0 ? (
            <p class="note">{t("settings.noKeys")}</p>
          ) : (
            <Table
              label={t("settings.keys")}
              rows={list}
              keyOf={({ id }) => id}
              columns={[
                { key: "name", label: t("metric.name"), cell: ({ name }) => name },
                {
                  key: "key",
                  label: t("settings.key"),
                  cell: ({ ending }) => <span class="mono">apm_••••{ending ?? "••••"}</span>,
                },
                {
                  key: "created",
                  label: t("settings.created"),
                  cell: ({ createdUnixMs }) => dateTimeText(createdUnixMs),
                },
                {
                  key: "used",
                  label: t("settings.usedBy"),
                  cell: ({ name }) =>
                    t("settings.usedByHosts", { hosts: daemons.filter(({ key }) => key === name).length }),
                },
                {
                  key: "revoke",
                  label: "",
                  cell: (key) => (
                    <Revoke
                      name={key.name}
                      onRevoke={() =>
                        void change(async () => {
                          await sendJson("DELETE", apiPaths.key(key.id));
                        })
                      }
                    />
                  ),
                },
              ]}
            />
          )
        }
      </Answered>
      <p class="field-error" role="alert">
        {problem.value}
      </p>
      {created.value === null ? (
        <NewKeyForm
          onCreate={(name) =>
            void change(async () => {
              created.value = await sendJson<NewKey>("POST", apiPaths.keys(), { name });
            })
          }
        />
      ) : (
        <KeyOnce created={created.value} onDone={() => (created.value = null)} />
      )}
    </Card>
  );
}

/** Asks once more before it cuts anybody off. */
function Revoke({ name, onRevoke }: { name: string; onRevoke: () => void }): JSX.Element {
  const isAsking = useSignal(false);
  if (!isAsking.value)
    return (
      <button type="button" class="quiet" onClick={() => (isAsking.value = true)}>
        {t("settings.revoke")} <span class="hidden">{name}</span>
      </button>
    );
  return (
    <span class="sure" role="group" aria-label={t("settings.revokeSure", { name })}>
      <span>{t("settings.revokeSure", { name })}</span>
      <button type="button" class="button button-danger" onClick={onRevoke}>
        {t("settings.revokeYes")}
      </button>
      <button type="button" class="button" onClick={() => (isAsking.value = false)}>
        {t("settings.cancel")}
      </button>
    </span>
  );
}

function NewKeyForm({ onCreate }: { onCreate: (name: string) => void }): JSX.Element {
  const name = useSignal("");
  return (
    <form
      class="setting-row"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.value.trim() === "") return;
        onCreate(name.value.trim());
        name.value = "";
      }}
    >
      <label class="setting">
        <span class="setting-label">{t("settings.newKey")}</span>
        <input
          class="field"
          maxLength={64}
          value={name.value}
          onInput={(event) => (name.value = event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="button" disabled={name.value.trim() === ""}>
        {t("settings.create")}
      </button>
    </form>
  );
}

function KeyOnce({ created, onDone }: { created: NewKey; onDone: () => void }): JSX.Element {
  const isCopied = useSignal(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(created.key);
      isCopied.value = true;
    } catch {
      // Without HTTPS or permission there is no clipboard; the key stands there to be selected.
    }
  };
  return (
    <div class="key-once" role="status">
      <p>{t("settings.onceOnly", { name: created.name })}</p>
      <code class="command">{created.key}</code>
      <button type="button" class="button" onClick={() => void copy()}>
        {t(isCopied.value ? "settings.copied" : "settings.copy")}
      </button>
      <button type="button" class="button" onClick={onDone}>
        {t("settings.done")}
      </button>
    </div>
  );
}
