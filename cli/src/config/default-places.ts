import { join } from "node:path";

/** The user that a command runs as, and what decides where files live. */
export interface UserPlaces {
  env: Readonly<Record<string, string | undefined>>;
  uid: number;
  homeDir: string;
  tmpDir: string;
}

/** Absolute folders that are used where nothing else is said. */
export interface DefaultPlaces {
  configDir: string;
  daemonStateDir: string;
  collectorStateDir: string;
  runDir: string;
  /** The run folder of last resort, which anybody could have made before. */
  tmpRunDir: string;
  uid: number;
  /** Where a daemon's sockets may be, in the order in which agents and `apm status` look. */
  socketDirs: readonly string[];
}

const SYSTEM_RUN_DIR = "/run/apm-daemon";

/** System folders for root, XDG folders for everybody else. */
export function defaultPlaces(user: UserPlaces): DefaultPlaces {
  const { env, uid, homeDir, tmpDir } = user;
  const sessionRunDir = env.XDG_RUNTIME_DIR ? join(env.XDG_RUNTIME_DIR, "apm-daemon") : null;
  const tmpRunDir = join(tmpDir, `apm-daemon-${uid}`);
  const socketDirs = [...(sessionRunDir ? [sessionRunDir] : []), SYSTEM_RUN_DIR, tmpRunDir];
  if (uid === 0) {
    return {
      configDir: "/etc/apm-daemon",
      daemonStateDir: "/var/lib/apm-daemon",
      collectorStateDir: "/var/lib/apm-collector",
      runDir: SYSTEM_RUN_DIR,
      tmpRunDir,
      uid,
      socketDirs,
    };
  }
  const stateDir = join(env.XDG_STATE_HOME || join(homeDir, ".local/state"), "apm-daemon");
  return {
    configDir: join(env.XDG_CONFIG_HOME || join(homeDir, ".config"), "apm-daemon"),
    daemonStateDir: stateDir,
    collectorStateDir: stateDir,
    runDir: sessionRunDir ?? tmpRunDir,
    tmpRunDir,
    uid,
    socketDirs,
  };
}
