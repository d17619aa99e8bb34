import { DemoApp } from "./demo-app.ts";
import { CardNetwork } from "./stand-ins/card-network.ts";
import { postgresServer } from "./stand-ins/postgres-server.ts";
import { redisServer } from "./stand-ins/redis-server.ts";
import { answerShopStatement } from "./stand-ins/shop-database.ts";
import { portForApp, USUAL_PORTS } from "./stand-ins/usual-port.ts";
import { Visitors } from "./traffic/visitors.ts";

export interface Demo {
  shopUrl: string;
  /** Resolves with a sentence when a part of it ends by itself; the rest runs on until `stop`. */
  failed: Promise<string>;
  /** Ends all of it. */
  stop(): Promise<void>;
}

type Env = Readonly<Record<string, string | undefined>>;

/** The shop, the service that it pays by, what stands in for their databases, and visitors. Rejects when an app does not start. */
export async function startDemo(processEnv: Env): Promise<Demo> {
  const stops: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    for (let end = stops.pop(); end !== undefined; end = stops.pop()) await end();
  };
  try {
    const database = postgresServer(answerShopStatement);
    const cache = redisServer();
    const cardNetwork = new CardNetwork();
    stops.push(() => {
      database.close();
      cache.close();
      cardNetwork.close();
    });
    const databaseUrl = (name: string, port: number): string => `postgres://demo@127.0.0.1:${port}/${name}`;
    const databasePort = await database.listen(USUAL_PORTS.database);
    const redisUrl = `redis://127.0.0.1:${await cache.listen(USUAL_PORTS.cache)}`;
    const cardNetworkUrl = await cardNetwork.listen(USUAL_PORTS.cardNetwork);

    const apps: DemoApp[] = [];
    stops.push(async () => {
      await Promise.all(apps.map((app) => app.stop()));
    });
    const payments = new DemoApp({
      name: "demo-payments",
      file: "payments/app.js",
      env: {
        PORT: String(await portForApp(USUAL_PORTS.payments)),
        DATABASE_URL: databaseUrl("payments", databasePort),
        CARD_NETWORK_URL: cardNetworkUrl,
      },
      processEnv,
    });
    apps.push(payments);
    const paymentsUrl = await payments.ready();
    const shop = new DemoApp({
      name: "demo-shop",
      file: "shop/app.js",
      env: {
        DATABASE_URL: databaseUrl("shop", databasePort),
        REDIS_URL: redisUrl,
        PAYMENTS_URL: paymentsUrl,
      },
      processEnv,
    });
    apps.push(shop);
    const shopUrl = await shop.ready();

    const visitors = new Visitors(shopUrl);
    stops.push(() => visitors.stop());
    void visitors.come();
    return { shopUrl, failed: Promise.race(apps.map((app) => app.failed)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
