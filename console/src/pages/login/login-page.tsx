import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Settings } from "../../app/navigation.tsx";
import { type ApiError, getJson } from "../../data/get-json.ts";
import { apiPaths } from "../../data/paths.ts";
import { sendJson } from "../../data/send-json.ts";
import { t } from "../../i18n/translate.ts";
import "../../i18n/en/login.ts";
import { errorText } from "../../ui/states.tsx";

interface Session {
  isLoggedIn: boolean;
}

/** Asks for the password; afterwards the address that was wanted is opened, which stands in the address bar all the time. */
export function LoginPage(): JSX.Element {
  const password = useSignal("");
  const isBusy = useSignal(false);
  const problem = useSignal("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = `${t("login.title")} · apm-daemon`;
    field.current?.focus();
  }, []);
  const submit = async (): Promise<void> => {
    if (isBusy.value || password.value === "") return;
    isBusy.value = true;
    problem.value = "";
    try {
      await sendJson<Session>("POST", apiPaths.login(), { password: password.value });
      const session = await getJson<Session>(apiPaths.session(), AbortSignal.timeout(10_000));
      if (session.isLoggedIn) window.location.reload();
      else problem.value = t("login.noCookie");
    } catch (error) {
      problem.value = problemText(error as ApiError);
      field.current?.select();
    }
    isBusy.value = false;
  };
  return (
    <main class="login" id="main">
      <form
        class="card login-card"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <p class="brand">
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <rect width="24" height="24" rx="6" />
            <path d="M4 13h3.5l2-6 4 11 2.5-7 1 2h3" />
          </svg>
          <span>apm-daemon</span>
        </p>
        <h1>{t("login.title")}</h1>
        {/* Password managers look for a name, though there is only one. */}
        <input
          class="hidden"
          type="text"
          name="username"
          autocomplete="username"
          value="apm"
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
        <label>
          {t("login.password")}
          <input
            class="field"
            ref={field}
            type="password"
            name="password"
            autocomplete="current-password"
            required
            aria-invalid={problem.value !== ""}
            aria-describedby="login-problem"
            value={password.value}
            onInput={(event) => (password.value = event.currentTarget.value)}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            onChange={(event) => {
              if (field.current !== null)
                field.current.type = event.currentTarget.checked ? "text" : "password";
            }}
          />
          {t("login.show")}
        </label>
        <p id="login-problem" class="field-error" role="alert">
          {problem.value}
        </p>
        <button type="submit" class="button button-main" disabled={isBusy.value}>
          {t(isBusy.value ? "login.busy" : "login.submit")}
        </button>
        <p class="note">{t("login.forgotten")}</p>
      </form>
      <Settings />
    </main>
  );
}

function problemText(error: ApiError): string {
  if (error.code === "WRONG_PASSWORD") return t("login.wrong");
  const { retryAfterSec } = (error.body ?? {}) as { retryAfterSec?: unknown };
  if (error.code === "TOO_MANY_LOGINS" && typeof retryAfterSec === "number")
    return t("login.tooMany", { seconds: retryAfterSec });
  return errorText(error);
}
