/** Dockerfiles as people find them, pasted in: they build, or say what is wrong, where, and what helps. */

import { readFile } from "node:fs/promises";
import { expect, test } from "./workbench";

/** The first Dockerfile of a play of the engine's. */
async function known(play: string): Promise<string> {
  const text = await readFile(new URL(`../plays/${play}.md`, import.meta.url), "utf8");
  const found = /^```dockerfile\n(.*?)^```$/ms.exec(text)?.[1];
  expect(found).toBeDefined();
  return found!;
}

test("three RUNs are three layers, and a second build runs none of them", async ({ bench }) => {
  await bench.paste(await known("lists-stay"));
  await bench.build();
  await bench.show("Steps");
  await expect(bench.steps).toHaveCount(4);
  await bench.show("Image");
  await expect(bench.layers).toHaveCount(4);
  await bench.show("Dockerfile");
  expect((await bench.marks()).slice(1)).toEqual(["hit", "hit", "hit"]);
});

test("what changes seldom stays cached when the source changes", async ({ bench }) => {
  await bench.paste(await known("order-by-change"));
  await bench.build();
  await bench.show("Steps");
  await expect(bench.steps).toHaveCount(5);
  await expect(bench.page.locator(".problem")).toHaveCount(0);
});

for (const [play, line, says] of [
  ["copy-has-no-mount", 13, "unknown flag: --mount"],
  ["program-not-installed", 2, "exit code: 127"],
  ["group-in-use", 24, "exit code: 1"],
] as const) {
  test(`${play}: what is wrong is said with its place and what helps`, async ({ bench }) => {
    // The example's context has no folder for nginx.
    await bench.paste((await known(play)).replace(/^COPY \.\/nginx.*\n/m, ""));
    if (play !== "copy-has-no-mount") {
      await bench.build();
    }
    await bench.show("Problems");
    const problem = bench.page.locator(".problem").filter({ hasText: says }).first();
    await expect(problem).toContainText(says);
    await expect(problem).toContainText(
      { 13: "--mount is a flag of RUN", 2: "curl is not installed in this image", 24: "The image has nginx already" }[line],
    );
    await problem.getByRole("button", { name: new RegExp(`line ${line}|lines ${line}`) }).click();
    await expect(bench.dockerfile).toBeFocused();
  });
}

test("a user that is missing matters to what runs as it", async ({ bench }) => {
  const text = (await known("what-makes-a-layer")).trimEnd();
  await bench.paste(`${text.replace(/^COPY.*$/m, "USER appuser")}\nRUN true\n`);
  await bench.build();
  await bench.show("Problems");
  const problem = bench.page.locator(".problem").filter({ hasText: "unable to find user appuser" }).first();
  await expect(problem).toContainText("make it before USER names it");
});
