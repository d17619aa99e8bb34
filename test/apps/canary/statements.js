// Each list holds functions of a number, which make a statement whose every literal is a secret: a word and a number that occur
// nowhere else.
const word = (n) => `kanarienvogel${n}`;
const number = (n) => `731973319731${n}`;
const hex = (n) => Buffer.from(word(n)).toString("hex");

/** Literals of PostgreSQL that are texts. */
const POSTGRES_TEXTS = [
  (n) => `'${word(n)}'`,
  (n) => `'it''s ${word(n)}'`,
  (n) => `E'it\\'s ${word(n)}\\\\'`,
  (n) => `e'${word(n)}\\n' '${word(n)}'`.replace("' '", "'\n'"),
  (n) => `'${word(n)}\\'`,
  (n) => `$$${word(n)} it's$$`,
  (n) => `$a1$ $$ ${word(n)} ' $a1$`,
  (n) => `U&'${word(n)}\\0061'`,
  (n) => `N'${word(n)}'`,
  (n) => `'{"a": ["${word(n)}", ${number(n)}]}'`,
  (n) => `'-- ${word(n)}'`,
  (n) => `'/* ${word(n)}'`,
  (n) => `'$$' || '${word(n)}'`,
  (n) => `CAST('${word(n)}' AS text)`,
  (n) => `text '${word(n)}'`,
  (n) => `(ARRAY['${word(n)}', $b$${word(n)}$b$])[1]`,
];
const POSTGRES_NUMBERS = [
  (n) => number(n),
  (n) => `-${number(n)}`,
  (n) => `${number(n)}.${number(n)}`,
  (n) => `${number(n)}e-5`,
  (n) => `.${number(n)}`,
  (n) => `'${number(n)}'::numeric`,
];
const POSTGRES_SHAPES = [
  (text, num) => `SELECT ${text}, ${num} FROM birdcage`,
  (text, num) => `SELECT name FROM birdcage WHERE name = ${text} AND age > ${num} LIMIT 3`,
  (text, num) =>
    `SELECT name FROM birdcage WHERE name IN (${text}, ${text},${text}) OR age IN (${num},${num})`,
  (text, num) =>
    `INSERT INTO birdcage (name, age) VALUES (${text}, ${num}), (${text} || 'x', ${num}) ON CONFLICT DO NOTHING`,
  (text, num) => `UPDATE birdcage SET age = ${num} WHERE name LIKE ${text} ESCAPE '!'`,
  (text, num, n) =>
    `SELECT /* ${word(n)} /* nested ${word(n)} */ ' */ ${num} -- ${word(n)} '\n FROM birdcage WHERE name=${text}`,
  (text, num) =>
    `WITH a AS (SELECT ${text} AS b) SELECT b FROM a, birdcage WHERE age BETWEEN ${num} AND ${num}`,
  (text, _num, n) => `DELETE FROM birdcage WHERE name=${text}AND age=1--${word(n)}`,
  (text, num, n) =>
    `SELECT CASE WHEN name = ${text} THEN ${num} ELSE 0 END AS "bird" FROM birdcage--${word(n)}\n;`,
];

const MYSQL_TEXTS = [
  (n) => `'${word(n)}'`,
  (n) => `"${word(n)}"`,
  (n) => `'it\\'s ${word(n)}'`,
  (n) => `"say \\"${word(n)}\\""`,
  (n) => `'it''s ${word(n)}'`,
  (n) => `"a ""${word(n)}"""`,
  (n) => `'${word(n)}\\\\'`,
  (n) => `'a' "${word(n)}" 'c'`,
  (n) => `N'${word(n)}'`,
  (n) => `_utf8mb4'${word(n)}'`,
  (n) => `x'${hex(n)}'`,
  (n) => `0x${hex(n)}`,
  (n) => `'# ${word(n)}'`,
  (n) => `'-- ${word(n)}'`,
  (n) => `'$$ ${word(n)} $$'`,
  (n) => `CONCAT("it's ", '"${word(n)}')`,
];
const MYSQL_NUMBERS = [
  (n) => number(n),
  (n) => `-${number(n)}`,
  (n) => `${number(n)}.5`,
  (n) => `${number(n)}e-5`,
];
const MYSQL_SHAPES = [
  (text, num) => `SELECT ${text}, ${num} FROM birdcage`,
  (text, num) => `SELECT \`name\` FROM birdcage WHERE name = ${text} AND age > ${num} LIMIT 3`,
  (text, num) =>
    `SELECT name FROM birdcage WHERE name IN (${text}, ${text},${text}) OR age IN (${num},${num})`,
  (text, num) => `INSERT IGNORE INTO birdcage (name, age) VALUES (${text}, ${num}),(${text}, ${num})`,
  (text, num) => `INSERT INTO birdcage VALUES (${text}, 1) ON DUPLICATE KEY UPDATE age = ${num}`,
  (text, num, n) =>
    `SELECT /* ${word(n)} " */ ${num} # ${word(n)} '\n FROM birdcage -- ${word(n)} "\n WHERE name=${text}`,
  (text, num, n) => `SELECT 1 /*!, '${word(n)}' */ FROM birdcage WHERE name LIKE ${text} AND age=5--${num}`,
  (text, num) => `REPLACE INTO birdcage SET name = ${text}, age = ${num}`,
];

const combined = (shapes, texts, numbers) =>
  shapes.flatMap((shape) =>
    texts.flatMap((text) => numbers.map((num) => (n) => ({ sql: shape(text(n), num(n), n) }))),
  );

/** So that neighbours differ in all three. */
const shuffled = (list) => list.map((_, i) => list[(i * 7_919) % list.length]);

export const postgresStatements = shuffled([
  ...combined(POSTGRES_SHAPES, POSTGRES_TEXTS, POSTGRES_NUMBERS),
  (n) => ({
    sql: "SELECT name FROM birdcage WHERE name = $1 OR name = ANY($2)",
    values: [word(n), [word(n)]],
  }),
  (n) => ({ sql: { name: "by name", text: "SELECT $1::text FROM birdcage", values: [word(n)] } }),
]);

export const mysqlStatements = shuffled([
  ...combined(MYSQL_SHAPES, MYSQL_TEXTS, MYSQL_NUMBERS),
  (n) => ({ sql: "SELECT name FROM birdcage WHERE name = ?", values: [word(n)] }),
  (n) => ({
    sql: { sql: "SELECT name FROM birdcage WHERE name = ? AND age = ?", values: [word(n), number(n)] },
  }),
]);

const old = (system, text) => ({ "db.system": system, "db.statement": text });
const now = (system, text) => ({ "db.system.name": system, "db.query.text": text });

/** What instrumentations of others record, of the kinds that there are. */
const HAND_MADE = [
  (n) => ["postgresql", postgresStatements[n % postgresStatements.length](n).sql],
  (n) => ["mysql", mysqlStatements[n % mysqlStatements.length](n).sql],
  (n) => ["mariadb", `SELECT "${word(n)}\\"" FROM birdcage`],
  (n) => ["mssql", `SELECT TOP 5 * FROM [birdcage] WHERE name = N'${word(n)}' AND age = ${number(n)}`],
  (n) => ["oracle.db", `SELECT q'[it's ${word(n)}]' FROM birdcage`],
  (n) => ["oracle.db", `SELECT * FROM birdcage WHERE name = '${word(n)}' OR age = ${number(n)}`],
  (n) => ["sqlite", `SELECT * FROM "birdcage" WHERE name = "${word(n)}" OR x = X'${hex(n)}'`],
  (n) => ["gcp.bigquery", `SELECT '''it's ${word(n)}''' FROM birdcage`],
  (n) => ["clickhouse", `SELECT 'it\\'s ${word(n)}' FROM birdcage`],
  (n) => ["redis", `SET bird:${word(n)} ${word(n)} EX ${number(n)}`],
  (n) => ["redis", `hmset ${word(n)}\n${word(n)} ${number(n)}`],
  (n) => ["memcached", `set ${word(n)} 0 0 5\r\n${word(n)}`],
  (n) => ["mongodb", JSON.stringify({ find: "birdcage", filter: { name: word(n), age: Number(number(n)) } })],
  (n) => ["mongodb", `db.birdcage.find({name: /${word(n)}/})`],
  (n) => ["elasticsearch", JSON.stringify({ query: { match: { [word(n)]: word(n) } } })],
  (n) => ["opensearch", `name:${word(n)}`],
  (n) => ["cassandra", `SELECT * FROM birdcage WHERE name = '${word(n)}' AND age > ${number(n)}`],
  (n) => ["neo4j", `MATCH (b:Bird {name: "${word(n)}"}) RETURN b LIMIT ${number(n)}`],
  (n) => ["other_sql", `SELECT 1 --'${word(n)}\n${word(n)}'\n FROM birdcage`],
  (n) => ["other_sql", `SELECT 1 # '\n${word(n)}'\n FROM birdcage`],
  (n) => ["other_sql", `SELECT 'never closed ${word(n)}`],
];

export const manualStatements = HAND_MADE.flatMap((make) => [
  (n) => ({ name: make(n)[1], attributes: now(...make(n)) }),
  (n) => ({ name: "query", attributes: old(...make(n)), order: "after" }),
  (n) => ({
    name: "query of birdcage",
    attributes: {
      "db.statement": make(n)[1],
      "db.query.parameter.name": word(n),
      "db.system": make(n)[0],
      "db.connection_string": `postgres://bird:${word(n)}@cage/birdcage?password=${word(n)}`,
      "url.full": `https://bird:${word(n)}@cage.example/path?name=${word(n)}`,
      "http.target": `/path?name=${word(n)}`,
      "bird.password": word(n),
    },
    error: new Error(`Duplicate entry '${word(n)}' and ${number(n)}`),
  }),
]);

const once = (n) => `${word(n)} once`;
export const failingStatements = [
  (n) => ({ system: "mysql", sql: `INSERT INTO birdcage (name) VALUES ('${once(n)}'), ('${once(n)}')` }),
  (n) => ({
    system: "mysql",
    sql: "INSERT INTO birdcage (name) VALUES (?), (?)",
    values: [once(n), once(n)],
  }),
  (n) => ({ system: "mysql", sql: `SELEKT '${word(n)}' FROM birdcage` }),
  (n) => ({ system: "mysql", sql: `SELECT * FROM birdcage WHERE name = '${word(n)}' AND` }),
  (n) => ({ system: "postgresql", sql: `INSERT INTO birdcage (name) VALUES ('${once(n)}'), ('${once(n)}')` }),
  (n) => ({ system: "postgresql", sql: `SELECT '${word(n)}'::integer FROM birdcage` }),
  (n) => ({ system: "postgresql", sql: "SELECT $1::integer FROM birdcage", values: [word(n)] }),
  (n) => ({ system: "postgresql", sql: `SELEKT '${word(n)}' FROM birdcage` }),
  (n) => ({
    system: "postgresql",
    sql: "SELECT $1::integer FROM birdcage",
    values: [word(n)],
    wrap: (cause) =>
      new Error(`Failed query: select $1::integer from "birdcage"\nparams: ${word(n)}`, { cause }),
  }),
  (n) => ({
    system: "postgresql",
    sql: "SELECT 1/0 FROM birdcage WHERE 1/0 = 1",
    wrap: () =>
      new TypeError(`fetch failed: https://bird:${word(n)}@cage.example/path?name=${word(n)} refused`),
  }),
];
