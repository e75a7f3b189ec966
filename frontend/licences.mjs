/* The licences of the packages that went into the bundle: most of them ask that their text goes along.
 *
 * A package without such a file has the text in its readme, or says no more than the name.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Where the package lies that a file of node_modules belongs to; nothing for files of our own. */
const packageOf = (file) => file.match(/^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0];

const textOf = (folder, pattern) => {
  const name = readdirSync(folder).find((entry) => pattern.test(entry));
  return name && readFileSync(join(folder, name), "utf8").trim();
};

const readmeOf = (folder) =>
  textOf(folder, /^readme/i)
    ?.match(/^#+ *licen[cs]e[^]*?(?=^##? |(?![^]))/im)?.[0]
    .trim();

const sectionOf = (folder) => {
  const { name, version, license, author } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const written = textOf(folder, /^(licen[cs]e|copying)/i) ?? readmeOf(folder);
  const by = typeof author === "string" ? author : author?.name;
  return [`${name} ${version}`, written ?? [license, by && `by ${by}`].filter(Boolean).join(", ")];
};

/** The licences of the packages that `inputs` (paths from the root of the repository) belong to. */
export const licencesOf = (inputs) => {
  const folders = [...new Set(inputs.map(packageOf))].filter(Boolean).sort();
  return folders
    .map(sectionOf)
    .map(([title, text]) => `${title}\n${"=".repeat(title.length)}\n\n${text}\n`)
    .join("\n\n");
};
