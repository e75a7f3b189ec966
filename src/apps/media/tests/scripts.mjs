// Runs a piece of the page scripts without a browser: TypeScript on standard input, which imports
// modules of frontend/src, with the page of argument 1 before it. What it says with `console.log`
// is its outcome.
import { readFileSync } from "node:fs";
import { build } from "esbuild";

const [, , page] = process.argv;
const { outputFiles } = await build({
  stdin: { contents: readFileSync(0, "utf8"), resolveDir: "frontend/src", loader: "ts" },
  banner: { js: page },
  bundle: true,
  write: false,
  format: "esm",
});
await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
