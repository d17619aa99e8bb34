import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mysql from "mysql2/promise";
import { Client } from "pg";
import { createClient } from "redis";
import type { Cleanup } from "./cleanup.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { findProgram, type PartName } from "./parts.ts";
import { Program, type ProgramOptions } from "./program.ts";

const START_DEADLINE_MS = 60_000;

/** Where the databases of a test listen; the apps take them from their environment. */
export interface Databases {
  postgresUrl: string;
  mysqlUrl: string;
  redisUrl: string;
}

/** Starts PostgreSQL, MariaDB and Redis on free ports of loopback, each in its own temp folder, with a little data. */
export async function startDatabases(cleanup: Cleanup): Promise<Databases> {
  const [sql, redisUrl] = await Promise.all([startSqlDatabases(cleanup), startRedis(cleanup)]);
  return { ...sql, redisUrl };
}

/** The first two of these alone. */
export async function startSqlDatabases(cleanup: Cleanup): Promise<Omit<Databases, "redisUrl">> {
  const [postgresUrl, mysqlUrl] = await Promise.all([startPostgres(cleanup), startMariadb(cleanup)]);
  return { postgresUrl, mysqlUrl };
}

export interface DatabaseStarter {
  part: PartName;
  /** Answers the server's URL. */
  start: (cleanup: Cleanup) => Promise<string>;
}

/** Each kind of server that tests use, by the name that they ask for. */
export const DATABASE_STARTERS: Readonly<Record<string, DatabaseStarter>> = {
  postgresql: { part: "postgresql", start: startPostgres },
  mariadb: { part: "mariadb", start: startMariadb },
  redis: { part: "redis", start: (cleanup) => startRedis(cleanup) },
  "redis-cluster": { part: "redis", start: startRedisCluster },
  memcached: { part: "memcached", start: startMemcached },
  kafka: { part: "kafka", start: startKafka },
};

function programPath(name: string): string {
  const path = findProgram(name);
  if (path === null) throw new Error(`${name} is not installed`);
  return path;
}

/** PostgreSQL refuses to run as root: then it runs as the user that its package made. */
function postgresUser(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

function dataFolder(cleanup: Cleanup, owner: { uid: number; gid: number } | null): string {
  const folder = mkdtempSync(join(tmpdir(), "apm-test-db-"));
  cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
  if (owner !== null) chownSync(folder, owner.uid, owner.gid);
  chmodSync(folder, 0o700);
  return folder;
}

function startServer(cleanup: Cleanup, options: ProgramOptions, stopSignal: NodeJS.Signals): Program {
  const server = new Program(options);
  cleanup.add(async () => {
    await server.stop(stopSignal);
  });
  return server;
}

async function startPostgres(cleanup: Cleanup): Promise<string> {
  const owner = postgresUser();
  const folder = dataFolder(cleanup, owner);
  const data = join(folder, "data");
  const runAs = { ...owner, cwd: folder };
  execFileSync(
    programPath("initdb"),
    ["-D", data, "-U", "shop", "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8"],
    { ...runAs, stdio: "pipe" },
  );
  const port = await freePort();
  const settings = ["-p", String(port), "-h", "127.0.0.1", "-k", folder, "-c", "fsync=off"];
  const server = startServer(
    cleanup,
    { name: "postgres", command: programPath("postgres"), args: ["-D", data, ...settings], ...runAs },
    "SIGINT",
  );
  const url = `postgres://shop@127.0.0.1:${port}/postgres`;
  const client = await eventually("PostgreSQL answers", START_DEADLINE_MS, async () => {
    failWhenEnded(server);
    const attempt = new Client({ connectionString: url });
    await attempt.connect();
    return attempt;
  });
  await client.query(POSTGRES_SCHEMA);
  await client.end();
  return url;
}

const POSTGRES_SCHEMA = `
  CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL);
  INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 50) n;
  CREATE TABLE orders (id serial PRIMARY KEY, item text NOT NULL);
`;

async function startMariadb(cleanup: Cleanup): Promise<string> {
  const folder = dataFolder(cleanup, null);
  const data = join(folder, "data");
  const asRoot = process.getuid?.() === 0 ? ["--user=root"] : [];
  const install = ["--auth-root-authentication-method=normal", "--skip-test-db", `--datadir=${data}`];
  execFileSync(programPath("mariadb-install-db"), ["--no-defaults", ...asRoot, ...install], {
    stdio: "pipe",
  });
  const port = await freePort();
  const server = startServer(
    cleanup,
    {
      name: "mariadbd",
      command: programPath("mariadbd"),
      args: [
        "--no-defaults",
        ...asRoot,
        `--datadir=${data}`,
        "--bind-address=127.0.0.1",
        `--port=${port}`,
        `--socket=${join(folder, "s.sock")}`,
        "--skip-log-bin",
        "--skip-name-resolve",
      ],
    },
    "SIGTERM",
  );
  const url = `mysql://root@127.0.0.1:${port}/stock`;
  const client = await eventually("MariaDB answers", START_DEADLINE_MS, () => {
    failWhenEnded(server);
    return mysql.createConnection({ host: "127.0.0.1", port, user: "root", multipleStatements: true });
  });
  await client.query(MARIADB_SCHEMA);
  await client.end();
  return url;
}

const MARIADB_SCHEMA = `
  CREATE DATABASE stock;
  USE stock;
  CREATE TABLE items (id integer PRIMARY KEY AUTO_INCREMENT, name varchar(80) NOT NULL);
  INSERT INTO items (name) SELECT CONCAT('item ', seq) FROM seq_1_to_50;
  CREATE TABLE orders (shop varchar(40) NOT NULL, id integer NOT NULL, PRIMARY KEY (shop, id));
  INSERT INTO orders SELECT 'north', seq FROM seq_1_to_50;
`;

async function startRedis(cleanup: Cleanup, more: readonly string[] = []): Promise<string> {
  const folder = dataFolder(cleanup, null);
  const port = await freePort();
  const args = [
    "--bind",
    "127.0.0.1",
    "--port",
    String(port),
    "--save",
    "",
    "--appendonly",
    "no",
    "--dir",
    folder,
    ...more,
  ];
  const server = startServer(
    cleanup,
    { name: "redis", command: programPath("redis-server"), args },
    "SIGTERM",
  );
  await server.waitForOutput(/Ready to accept connections/, START_DEADLINE_MS);
  return `redis://127.0.0.1:${port}`;
}

/** A cluster of one node, which has all slots. */
async function startRedisCluster(cleanup: Cleanup): Promise<string> {
  const url = await startRedis(cleanup, ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"]);
  const client = await createClient({ url }).connect();
  await client.sendCommand(["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
  await eventually("the cluster is ready", START_DEADLINE_MS, async () => {
    const info = await client.clusterInfo();
    if (!info.includes("cluster_state:ok")) throw new Error(info);
  });
  await client.close();
  return url;
}

async function startMemcached(cleanup: Cleanup): Promise<string> {
  const port = await freePort();
  const asRoot = process.getuid?.() === 0 ? ["-u", "root"] : [];
  const args = [...asRoot, "-l", "127.0.0.1", "-p", String(port), "-U", "0", "-m", "16"];
  const server = startServer(
    cleanup,
    { name: "memcached", command: programPath("memcached"), args },
    "SIGTERM",
  );
  await eventually("memcached listens", START_DEADLINE_MS, async () => {
    failWhenEnded(server);
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect").finally(() => socket.destroy());
  });
  return `memcached://127.0.0.1:${port}`;
}

/** librdkafka's own cluster for tests: one broker, topics of four partitions that are made when they are first named. */
async function startKafka(cleanup: Cleanup): Promise<string> {
  // A producer that waits for its first message keeps the broker; the address that it is told is not used.
  const args = ["-P", "-b", "none", "-t", "none", "-X", "test.mock.num.brokers=1"];
  const server = startServer(
    cleanup,
    { name: "kcat", command: programPath("kcat"), args, stdin: "pipe" },
    // Reading, it does not hear of gentler ones.
    "SIGKILL",
  );
  const [, address] = await server.waitForOutput(/replaced with ([\d.]+:\d+)/, START_DEADLINE_MS);
  return `kafka://${address}`;
}

function failWhenEnded(server: Program): void {
  if (!server.isRunning) throw new Error(server.describe());
}
