// Bundles the desk's editor: `npm ci && npm run build` in this folder. What it makes is committed, with
// the licences of all that is in it, so nobody who installs the product needs Node.
import { build } from "esbuild";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const made = join(here, "../../src/morefollows/desk/static/desk");
// prosemirror-markdown brings a markdown-it of its own, for a parser that nobody uses. linkify-it finds
// addresses in words, which the product does not do.
const once = {
  name: "once",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^markdown-it$/ },
      () => ({ path: join(here, "node_modules/markdown-it/dist/markdown-it.mjs") }));
    onResolve({ filter: /^linkify-it$/ }, () => ({ path: "linkify-it", namespace: "unused" }));
    onLoad({ filter: /./, namespace: "unused" },
      () => ({ contents: "export class LinkifyIt {}" }));
  },
};
const result = await build({
  plugins: [once],
  entryPoints: [join(here, "main.mjs")], outfile: join(made, "editor.js"), bundle: true, minify: true,
  format: "iife", globalName: "morefollowsEditor", target: "es2022", metafile: true,
  banner: { js: "// Made by tools/editor. Licences: editor-licences.txt" }, legalComments: "none",
});
const packages = new Set(Object.keys(result.metafile.inputs)
  .map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean));
const texts = [...packages].sort().map((name) => {
  const folder = join(here, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json")));
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  const text = file ? readFileSync(join(folder, file), "utf8").trim() : "See its package.json.";
  return `${name} ${version} (${license})\n\n${text}\n`;
});
writeFileSync(join(made, "editor-licences.txt"), texts.join(`\n${"-".repeat(80)}\n\n`));
