import { chownSync, statSync } from "node:fs";

/** What root writes into a state folder, a collector that runs as another user must be able to read. */
export function giveToOwnerOf(stateDir: string, file: string): void {
  const owner = statSync(stateDir, { throwIfNoEntry: false });
  const present = statSync(file, { throwIfNoEntry: false });
  if (owner && present && present.uid !== owner.uid) chownSync(file, owner.uid, owner.gid);
}
