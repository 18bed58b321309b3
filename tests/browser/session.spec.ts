/** Undo and redo of everything; work that outlives a reload and a crash. */

import { expect, test } from "./workbench";

test("edits, moves and builds are undone and redone", async ({ bench }) => {
  const { page, verdict } = bench;
  const undo = page.locator("header").getByRole("button", { name: /^Undo/ });
  const redo = page.locator("header").getByRole("button", { name: /^Redo/ });
  const first = await bench.text();
  const image = page.locator(".image .head [data-digest]").first();
  const firstImage = await image.getAttribute("data-digest");

  await page.getByRole("button", { name: "Edit src/app.js" }).click();
  await expect(verdict).toContainText("src/app.js changed");
  await bench.line("COPY . .").click();
  await page.keyboard.press("Alt+ArrowDown");
  await expect.poll(() => bench.text()).not.toBe(first);
  const moved = await bench.text();
  await bench.build();
  await expect(image).not.toHaveAttribute("data-digest", firstImage!);
  const secondImage = await image.getAttribute("data-digest");

  await undo.click();
  await expect(image).toHaveAttribute("data-digest", firstImage!);
  await undo.click();
  await expect.poll(() => bench.text()).toBe(first);
  await undo.click();
  await expect(verdict).toContainText(/(\d+) of \1 steps cached/);
  for (let step = 0; step < 3; step++) {
    await redo.click();
  }
  await expect.poll(() => bench.text()).toBe(moved);
  await expect(image).toHaveAttribute("data-digest", secondImage!);
});

test("typing is undone with the keys, in the editor and outside of it", async ({ bench }) => {
  const before = await bench.text();
  await bench.line("RUN npm ci").click();
  await bench.page.keyboard.press("End");
  await bench.page.keyboard.type(" --omit=dev");
  await expect.poll(() => bench.text()).toContain("npm ci --omit=dev");
  await expect(bench.verdict).toContainText("First miss");
  await bench.page.keyboard.press("ControlOrMeta+z");
  await expect.poll(() => bench.text()).toBe(before);
  await bench.page.keyboard.press("ControlOrMeta+Shift+z");
  await expect.poll(() => bench.text()).toContain("npm ci --omit=dev");
});

test("work survives a reload", async ({ bench }) => {
  const { page } = bench;
  await page.getByRole("button", { name: "Edit src/app.js" }).click();
  await expect(bench.verdict).toContainText("src/app.js changed");
  await bench.line("CMD").click();
  await page.keyboard.press("Home");
  await page.keyboard.type("ENV MODE=dev\n");
  await expect.poll(() => bench.text()).toContain("ENV MODE=dev");
  await expect
    .poll(() => page.evaluate(() => localStorage.getItem("layerwise.session")))
    .toContain("ENV MODE=dev");
  await page.reload();
  await expect.poll(() => bench.text()).toContain("ENV MODE=dev");
  await expect(bench.verdict).toContainText("src/app.js changed");
});

test("a crash of the engine loses nothing, and is told", async ({ bench, errors }) => {
  const { page } = bench;
  await bench.paste("FROM busybox\nRUN true\n");
  await expect
    .poll(() => page.evaluate(() => localStorage.getItem("layerwise.session")))
    .toContain("RUN true");
  // What a trap in the engine looks like to the page.
  const worker = page.workers()[0]!;
  await worker.evaluate(() => {
    postMessage({ kind: "crashed", error: "unreachable" });
  });
  await bench.dockerfile.click();
  await page.keyboard.press("ControlOrMeta+End");
  await page.keyboard.type("RUN pwd\n");
  await expect(bench.notice).toContainText("was started again");
  await expect.poll(() => bench.text()).toContain("RUN true");
  await expect.poll(() => bench.text()).toContain("RUN pwd");
  errors.splice(0);
});
