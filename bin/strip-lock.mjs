/* Takes the authors' donation pages, and licences given by address, out of the lock files: npm
 * writes them, nothing reads them, and without them a lock holds no address at all (see
 * bin/check-locks). */
import { readFileSync, writeFileSync } from "node:fs";

for (const file of ["package-lock.json", "emulators/package-lock.json", "bench/node/package-lock.json"]) {
  const lock = JSON.parse(readFileSync(file, "utf8"));
  for (const entry of Object.values(lock.packages)) {
    delete entry.funding;
    if (/^https?:/.test(entry.license)) delete entry.license;
  }
  writeFileSync(file, JSON.stringify(lock, null, 2) + "\n");
}
