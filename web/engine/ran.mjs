/**
 * Finds out which functions of the engine ordinary work calls: these are loaded with the page, the
 * others when they are first called.
 *
 *     node ran.mjs ENGINE.js COUNTING.wasm PUBLIC OUT
 *
 * ENGINE.js is wasm-bindgen's, COUNTING.wasm is what `wasm-split count` makes, PUBLIC the folder of
 * the catalog and the plays. The indices of the functions that have run are written to OUT.
 *
 * Ordinary work is what the page asks for in the first minute of every example. What a person does
 * next asks for the rest once.
 */

import { readFile, writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [engine, counting, folder, out] = process.argv.slice(2).map((path) => pathToFileURL(path));
const inside = (path) => new URL(`${folder.href}/${path}`);

globalThis.layerwiseRest = () => {
  throw new Error("nothing is missing in a counting module");
};
const { default: init, Session, version } = await import(engine.href);
const exports = await init({ module_or_path: await readFile(counting) });

version();

/** Answers requests until nothing is left to do. A refusal is an answer, too. */
async function work(session, ...requests) {
  for (let request of requests) {
    for (;;) {
      const reply = session.handle(request);
      if (reply.kind === "needs") {
        for (const name of reply.value) {
          session.supply(name, await readFile(inside(`catalog/${name}`)));
        }
      } else if (reply.kind === "progress") {
        request = { kind: "continue" };
      } else {
        break;
      }
    }
  }
}

const edit = (edit) => ({ kind: "edit", edit });
const kinds = (...kinds) => kinds.map((kind) => ({ kind }));

/** What the page asks for by itself, and what its panels show of the build `build`. */
const look = (build) => [
  { kind: "list", tree: { of: "context" }, dir: "" },
  { kind: "list", tree: { of: "context" }, dir: "src" },
  { kind: "list", tree: { of: "layer", build, layer: 0 }, dir: "" },
  { kind: "list", tree: { of: "merged", build, layer: 1 }, dir: "" },
  { kind: "list", tree: { of: "step", build, step: 1 }, dir: "" },
  { kind: "find", tree: { of: "context" }, pattern: "src", limit: 100 },
  { kind: "read", tree: { of: "context" }, path: "src/app.js" },
];

for (const { file } of JSON.parse(await readFile(inside("plays/index.json"), "utf8"))) {
  const session = new Session();
  const source = await readFile(inside(`plays/${file}`), "utf8");
  await work(session, { kind: "openPlay", source }, ...kinds("refresh"), ...look(1));
  await work(session, edit({ op: "nudge", path: "src/app.js" }), ...kinds("forecast", "build", "save"), ...look(2));
  await work(session, { kind: "compare", before: 1, after: 2 }, ...kinds("suggest", "matrix"));
}

const ran = Object.keys(exports)
  .map((name) => /^ran(\d+)$/.exec(name)?.[1])
  .filter((index) => index !== undefined && exports[`ran${index}`].value === 1);
await writeFile(out, `${ran.join("\n")}\n`);
