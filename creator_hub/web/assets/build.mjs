// Bundles the pages' code into ../static with the content's hash in each name, and writes manifest.json: plain → hashed.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "static");
const entries = readdirSync(join(here, "js/entry")).filter((name) => name.endsWith(".js"));

mkdirSync(out, { recursive: true });

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: [...entries.map((name) => `js/entry/${name}`), "css/hub.css"],
  outdir: out,
  entryNames: "[name].[hash]",
  chunkNames: "chunk.[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  // Colours choose light or dark in the browser (light-dark()); a stored choice could not reach a lowered form.
  supported: { "color-functions": true },
  minify: true,
  sourcemap: true,
  metafile: true,
  nodePaths: [join(here, "../../../node_modules")],
  logLevel: "warning",
});

const manifest = {};
for (const [path, output] of Object.entries(metafile.outputs)) {
  if (output.entryPoint) manifest[basename(output.entryPoint)] = basename(path);
}
for (const name of readdirSync(here).filter((file) => file.endsWith(".svg"))) {
  const content = readFileSync(join(here, name));
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();
  manifest[name] = name.replace(".svg", `.${hash}.svg`);
  writeFileSync(join(out, manifest[name]), content);
}
// Written aside and renamed: a running server never reads half a manifest.
writeFileSync(join(out, "manifest.json.new"), JSON.stringify(manifest, null, 2));
renameSync(join(out, "manifest.json.new"), join(out, "manifest.json"));

// Servers and pages that run on the build before this one still ask for its files: they stay for a day.
const DAY_MS = 86_400_000;
for (const name of readdirSync(out)) {
  if (Date.now() - statSync(join(out, name)).mtimeMs > DAY_MS) rmSync(join(out, name));
}
