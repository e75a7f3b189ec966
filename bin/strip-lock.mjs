/* Takes the authors' donation pages out of package-lock.json: npm writes them, nothing reads
 * them, and without them the lock holds no address at all (see bin/check-locks). */
import { readFileSync, writeFileSync } from "node:fs";

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
for (const entry of Object.values(lock.packages)) delete entry.funding;
writeFileSync("package-lock.json", JSON.stringify(lock, null, 2) + "\n");
