/**
 * Finds out which functions of the engine ordinary work calls: these are loaded with the page, the
 * others when they are first called.
 *
 *     node ran.mjs ENGINE.js COUNTING.wasm PUBLIC OUT
 *
 * ENGINE.js is wasm-bindgen's, COUNTING.wasm is what `wasm-split count` makes, PUBLIC the folder of
 * the catalog and the plays. The indices of the functions that have run are written to OUT.
 *
 * Ordinary work is what the page asks for in the first minute of every example, and what a person
 * does next: type, make a mistake, look around, undo.
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

/** Lines of Dockerfiles as they are met every day. */
const EVERYDAY = `# syntax=docker/dockerfile:1
ARG VERSION=3.20
FROM alpine:$VERSION AS base
ENV MODE=production PATH=/opt/bin:$PATH
RUN apk add --no-cache curl ca-certificates
FROM base AS build
WORKDIR /src
COPY --chown=1000:1000 . .
RUN --mount=type=cache,target=/root/.cache mkdir -p out/bin && cp -r src out/ && echo "$MODE" > out/mode \\
 && for f in out/*; do if [ -f "$f" ]; then chmod 644 "$f"; else true; fi; done
RUN <<EOF
set -e
mv out/mode out/bin/mode
ln -s mode out/bin/current
touch out/done
rm -rf out/src
cat out/bin/mode
EOF
FROM base
LABEL org.opencontainers.image.title="Everyday"
COPY --from=build /src/out /opt
USER nobody
EXPOSE 8080/tcp
VOLUME /data
HEALTHCHECK --interval=30s CMD curl -f http://localhost/ || exit 1
ENTRYPOINT ["/opt/bin/mode"]
CMD ["--help"]
`;

const FAULTS = ["FROM alpine\nCOPY missing.txt /\n", "FROM alpine\nRUN exit 3\n", "FORM alpine\n", ""];

for (const { file } of JSON.parse(await readFile(inside("plays/index.json"), "utf8"))) {
  const session = new Session();
  const source = await readFile(inside(`plays/${file}`), "utf8");
  await work(session, { kind: "openPlay", source }, ...kinds("refresh"), ...look(1));
  await work(session, edit({ op: "nudge", path: "src/app.js" }), ...kinds("forecast", "build", "save"), ...look(2));
  await work(session, { kind: "compare", before: 1, after: 2 }, ...kinds("suggest", "matrix"));
  await work(session, edit({ op: "move", from: 3, to: 4 }), ...kinds("forecast", "build"));
  await work(session, edit({ op: "write", path: "new.txt", bytes: [110, 101, 119, 10], mode: null }));
  await work(session, edit({ op: "delete", path: "new.txt" }), ...kinds("undo", "undo", "redo", "save"));
  await work(session, edit({ op: "dockerfile", text: EVERYDAY }), ...kinds("forecast", "build", "build"));
  for (const text of FAULTS) {
    await work(session, edit({ op: "dockerfile", text }), ...kinds("forecast", "build"));
  }
}

const ran = Object.keys(exports)
  .map((name) => /^ran(\d+)$/.exec(name)?.[1])
  .filter((index) => index !== undefined && exports[`ran${index}`].value === 1);
await writeFile(out, `${ran.join("\n")}\n`);
