import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import {
  type AppSettings,
  type GeneralSettings,
  MAX_APPS_WITH_SETTINGS,
  NO_SETTINGS,
  parseSettings,
  type SettingsSet,
} from "@apm-daemon/protocol";
import { CollectorError } from "../collector-error.ts";
import { replacePrivateFile } from "../private-file.ts";

/**
 * Settings of the apps as they were made in the console, in `<stateDir>/settings.json`. All of them are sent to each daemon; the revision is
 * made of what they say, so that it tells whether a daemon has these, whichever collector it heard them from.
 */
export class SettingsStore {
  readonly #file: string;
  readonly #listeners: (() => void)[] = [];
  #set: SettingsSet = NO_SETTINGS;
  /** Why nothing is known of what was set; daemons are then told nothing, since they would forget what they know. */
  readonly problem: CollectorError | null;

  constructor(stateDir: string) {
    this.#file = path.join(stateDir, "settings.json");
    this.problem = this.#read();
  }

  get current(): SettingsSet {
    return this.#set;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Throws STATE_DIR_NOT_WRITABLE. */
  setAll(all: GeneralSettings): SettingsSet {
    return this.#change(all, this.#set.apps);
  }

  /** An app without any settings is as all others. Throws SETTINGS_TOO_MANY or STATE_DIR_NOT_WRITABLE. */
  setApp(app: string, settings: AppSettings): SettingsSet {
    const others = this.#set.apps.filter((one) => one.app !== app);
    const apps = Object.keys(settings).length === 0 ? others : [...others, { app, settings }];
    if (apps.length > MAX_APPS_WITH_SETTINGS)
      throw new CollectorError(
        "SETTINGS_TOO_MANY",
        `${MAX_APPS_WITH_SETTINGS} apps have settings of their own already; remove those of an app that is gone`,
      );
    return this.#change(this.#set.all, apps);
  }

  /** Throws SETTINGS_UNREADABLE or STATE_DIR_NOT_WRITABLE. */
  #change(all: GeneralSettings, apps: SettingsSet["apps"]): SettingsSet {
    if (this.problem !== null) throw this.problem;
    const sorted = apps.toSorted((a, b) => (a.app < b.app ? -1 : 1));
    const next: SettingsSet = { revision: revisionOf(all, sorted), all, apps: sorted };
    replacePrivateFile(this.#file, `${JSON.stringify(next, null, 2)}\n`);
    this.#set = next;
    for (const tell of this.#listeners) tell();
    return next;
  }

  #read(): CollectorError | null {
    let cause: unknown;
    try {
      const set = parseSettings(JSON.parse(fs.readFileSync(this.#file, "utf8")));
      if (set !== null) {
        this.#set = { ...set, revision: revisionOf(set.all, set.apps) };
        return null;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      cause = error;
    }
    return new CollectorError(
      "SETTINGS_UNREADABLE",
      `${this.#file} cannot be read as settings, so daemons keep those that they have; restore it, or remove it and set them anew in the console, then start the collector again`,
      { cause },
    );
  }
}

function revisionOf(all: GeneralSettings, apps: SettingsSet["apps"]): string {
  if (Object.keys(all).length === 0 && apps.length === 0) return NO_SETTINGS.revision;
  return createHash("sha256")
    .update(JSON.stringify([all, apps]))
    .digest("hex")
    .slice(0, 16);
}
