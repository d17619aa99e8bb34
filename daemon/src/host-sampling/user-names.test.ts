import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcFixture } from "./proc-fixture.ts";
import { UserNames } from "./user-names.ts";

test("users have names, or their numbers", (t) => {
  const etc = new ProcFixture(t, {
    passwd: "root:x:0:0::/root:/bin/sh\n\n#comment\nbad:x:no\nwww:x:33:33::/:/bin/sh\n",
  });
  const users = new UserNames(`${etc.root}/passwd`);
  assert.equal(users.nameOf(0, 0), "root");
  assert.equal(users.nameOf(33, 0), "www");
  assert.equal(users.nameOf(1000, 0), "1000");
});

test("a new user is found a minute later; a missing file is no error", (t) => {
  const etc = new ProcFixture(t);
  const users = new UserNames(`${etc.root}/passwd`);
  assert.equal(users.nameOf(5, 1_000), "5");
  etc.write("passwd", "games:x:5:5::/:/bin/sh\n");
  assert.equal(users.nameOf(5, 60_999), "5");
  assert.equal(users.nameOf(5, 61_000), "games");
});
