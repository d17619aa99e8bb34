import { Pool } from "pg";

export const database = new Pool({ connectionString: process.env.DATABASE_URL, max: 8 });
database.on("error", (error) => console.error(`database: ${error.message}`));

export async function inTransaction(work) {
  const client = await database.connect();
  try {
    await client.query("BEGIN");
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}
