/**
 * Finds out which functions of the engine run when the page opens: these are loaded with it, the
 * others with the first touch of the page, or when they are first called.
 *
 *     node ran.mjs ENGINE.js COUNTING.wasm PUBLIC OUT
 *
 * ENGINE.js is wasm-bindgen's, COUNTING.wasm is what `wasm-split count` makes, PUBLIC the folder of
 * the catalog and the plays. The indices of the functions that have run are written to OUT.
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

/** What the page asks for by itself when it opens. */
const look = (build) => [
  { kind: "refresh" },
  { kind: "list", tree: { of: "context" }, dir: "" },
  { kind: "list", tree: { of: "context" }, dir: "src" },
  { kind: "list", tree: { of: "layer", build, layer: 0 }, dir: "" },
  { kind: "list", tree: { of: "merged", build, layer: 1 }, dir: "" },
  { kind: "forecast" },
  { kind: "save" },
];

const [{ file }] = JSON.parse(await readFile(inside("plays/index.json"), "utf8"));
const session = new Session();
await work(session, { kind: "openPlay", source: await readFile(inside(`plays/${file}`), "utf8") }, ...look(1));
const saved = session.handle({ kind: "save" }).value;
await work(new Session(), { kind: "openSaved", saved }, ...look(1));

const ran = Object.keys(exports)
  .map((name) => /^ran(\d+)$/.exec(name)?.[1])
  .filter((index) => index !== undefined && exports[`ran${index}`].value === 1);
await writeFile(out, `${ran.join("\n")}\n`);
