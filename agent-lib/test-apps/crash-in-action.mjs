// Work of an action breaks where its promise does not see it: the process dies while the action runs.
import { action } from "@apm-daemon/agent";

const how = process.argv[2];
const work = async () => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  if (how === "throw")
    setTimeout(() => {
      throw new TypeError("job broke");
    }, 5);
  else void Promise.resolve().then(() => Promise.reject(new TypeError("job broke")));
  await new Promise((resolve) => setTimeout(resolve, 10_000));
};
void action("idle job", () => new Promise((resolve) => setTimeout(resolve, 10_000)));
void action("nightly job", work);
