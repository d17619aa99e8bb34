import assert from "node:assert/strict";
import { test } from "node:test";
import { OpenList, type OpenMember } from "./open-list.ts";

class Member implements OpenMember<Member> {
  older: Member | null = null;
  newer: Member | null = null;
  isOpen = false;
  readonly name: number;

  constructor(name: number) {
    this.name = name;
  }
}

test("a list has what was added and did not leave, oldest first, as a Set would", () => {
  const list = new OpenList<Member>();
  const set = new Set<Member>();
  const members = Array.from({ length: 40 }, (_, i) => new Member(i));
  let state = 7;
  for (let step = 0; step < 5_000; step++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const member = members[(state >>> 16) % members.length] as Member;
    if ((state >>> 8) % 2 === 0) {
      list.add(member);
      set.add(member);
    } else assert.equal(list.delete(member), set.delete(member));
    assert.deepEqual(
      [...list].map(({ name }) => name),
      [...set].map(({ name }) => name),
    );
  }
});

test("who leaves keeps no neighbour alive, and may leave while the list is walked", () => {
  const list = new OpenList<Member>();
  const members = [1, 2, 3].map((name) => new Member(name));
  for (const member of members) list.add(member);
  const seen: number[] = [];
  for (const member of list) {
    seen.push(member.name);
    list.delete(member);
  }
  assert.deepEqual(seen, [1, 2, 3]);
  assert.deepEqual([...list], []);
  for (const { older, newer } of members) assert.deepEqual([older, newer], [null, null]);
});
