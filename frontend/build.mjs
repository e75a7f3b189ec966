/* Bundles frontend/src into the media app's static files.
 *
 * Every .ts and .css file directly in frontend/src is an entry point; code that
 * two entries share, or that an entry fetches only when it is needed, lands in
 * chunks/, under a name that carries its hash; the entries get theirs from
 * Django's manifest storage when static files are collected. The service worker
 * is built apart, and served under an address that covers the site's pages.
 *
 * licences.txt has the terms of all that others wrote of it, as these ask for.
 */
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { licencesOf } from "./licences.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "src");
const target = join(here, "..", "src", "apps", "media", "static", "media", "dist");

const entryPoints = readdirSync(source)
  .filter((name) => /\.(ts|css)$/.test(name) && !name.endsWith(".d.ts"))
  .map((name) => join(source, name));

const common = {
  outdir: target,
  bundle: true,
  target: ["es2022", "safari16"],
  minify: true,
  sourcemap: false,
  logLevel: "warning",
  metafile: true,
};

rmSync(target, { recursive: true, force: true });
const pages = await build({
  ...common,
  entryPoints,
  splitting: true,
  format: "esm",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "linked",
  chunkNames: "chunks/[name]-[hash]",
  assetNames: "assets/[name]-[hash]",
  loader: { ".svg": "file", ".png": "file", ".woff2": "file" },
});
// Service workers are one file, and not everywhere a module.
const worker = await build({
  ...common,
  entryPoints: [join(source, "worker", "service-worker.ts")],
  format: "iife",
});
const inputs = [pages, worker].flatMap(({ metafile }) => Object.keys(metafile.inputs));
writeFileSync(join(target, "licences.txt"), licencesOf(inputs));
