import { createClient } from "redis";

export const redis = createClient({ url: process.env.REDIS_URL });
redis.on("error", (error) => console.error(`redis: ${error.message}`));
await redis.connect();

/** What is in the cache, or what `load` finds, which then is there for some seconds. */
export async function cached(key, seconds, load) {
  const known = await redis.get(key);
  if (known !== null) return JSON.parse(known);
  const value = await load();
  await redis.set(key, JSON.stringify(value), { expiration: { type: "EX", value: seconds } });
  return value;
}
