// A consumer rejects, which nobody handles but the app's own listener. The argument is the broker's port.
import { connect } from "amqplib";

const connection = await connect(`amqp://127.0.0.1:${process.argv[2]}`);
const channel = await connection.createChannel();
process.on("unhandledRejection", (reason) => {
  console.log(`${reason.name}: ${reason.message}`);
  void connection.close();
});
await channel.consume("failing", async () => {
  throw new RangeError("no stock");
});
channel.sendToQueue("failing", Buffer.from("x"));
