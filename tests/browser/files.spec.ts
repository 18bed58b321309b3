/** The build context: making, changing and taking away files. */

import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "./workbench";

const answer = async (page: import("@playwright/test").Page, text: string, button: string) => {
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox").first().fill(text);
  await dialog.getByRole("button", { name: button }).click();
};

test("a file is made, written, renamed and deleted", async ({ bench }) => {
  const { page, files } = bench;
  await page.getByRole("button", { name: "New" }).click();
  await page.getByRole("menuitem", { name: "File" }).click();
  await answer(page, "notes.txt", "Make it");
  const row = (path: string) => files.locator(`[data-path="${path}"]`);
  await expect(row("notes.txt")).toContainText("edited");

  const text = page.getByRole("textbox", { name: "notes.txt" });
  await text.click();
  await page.keyboard.type("hello");
  await expect(text).toContainText("hello");

  await row("notes.txt").click();
  await page.getByRole("button", { name: "Rename notes.txt" }).click();
  await answer(page, "docs/notes.md", "Rename");
  await expect(row("docs/notes.md")).toBeVisible();
  await expect(row("notes.txt")).toHaveCount(0);
  // Its content has gone with it.
  await row("docs/notes.md").click();
  await expect(page.getByRole("textbox", { name: "docs/notes.md" })).toContainText("hello");

  await page.getByRole("button", { name: "Delete notes.md" }).click();
  await expect(row("docs/notes.md")).toHaveCount(0);
});

test("writing a file of the context costs what the verdict says", async ({ bench }) => {
  await bench.files.locator('[data-path="src/app.js"]').click();
  const text = bench.page.getByRole("textbox", { name: "src/app.js" });
  await text.click();
  await bench.page.keyboard.press("ControlOrMeta+End");
  await bench.page.keyboard.type("\n// changed");
  await expect(bench.verdict).toContainText("because src/app.js changed");
});

test("a mode counts for the cache, a time does not", async ({ bench }) => {
  const { page, files, verdict } = bench;
  await files.locator('[data-path="src/app.js"]').click();
  await page.getByRole("button", { name: "Touch app.js" }).click();
  await expect(verdict).toContainText(/(\d+) of \1 steps cached/);
  await page.getByRole("button", { name: "Make app.js executable" }).click();
  await expect(verdict).toContainText("First miss");
  await page.getByRole("button", { name: "Make app.js not executable" }).click();
  await expect(verdict).toContainText(/(\d+) of \1 steps cached/);
});

test("files that are ignored say by which line", async ({ bench }) => {
  const { page, files } = bench;
  await page.getByRole("button", { name: "New" }).click();
  await page.getByRole("menuitem", { name: "File" }).click();
  await answer(page, "debug.log", "Make it");
  await bench.page.getByRole("button", { name: "Close debug.log" }).click();
  await files.locator('[data-path=".dockerignore"]').click();
  const ignore = page.getByRole("textbox", { name: ".dockerignore" });
  await ignore.click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText("# nothing that is made\n*.log\n");
  await expect(files.locator('[data-path="debug.log"]')).toContainText("*.log · line 2");
});

test("files are uploaded, and can be read", async ({ bench }) => {
  const folder = await mkdtemp(join(tmpdir(), "layerwise-"));
  await writeFile(join(folder, "one.txt"), "first\n");
  await writeFile(join(folder, "two.bin"), Buffer.from([0, 159, 146, 150]));
  await bench.page.getByLabel("Files to upload").setInputFiles([join(folder, "one.txt"), join(folder, "two.bin")]);
  await bench.files.locator('[data-path="one.txt"]').click();
  await expect(bench.page.getByRole("textbox", { name: "one.txt" })).toContainText("first");
  await bench.files.locator('[data-path="two.bin"]').click();
  await expect(bench.page.locator(".code-instead")).toContainText("not text");
});

test("a folder is uploaded with its paths", async ({ bench }) => {
  const folder = await mkdtemp(join(tmpdir(), "layerwise-"));
  await writeFile(join(folder, "inside.txt"), "inside\n");
  await bench.page.getByLabel("A folder to upload").setInputFiles(folder);
  await expect(bench.files.locator('[data-path$="/inside.txt"]')).toBeVisible();
});

test("the tree is walked with the keys", async ({ bench }) => {
  const { files, page } = bench;
  await files.focus();
  await page.keyboard.press("Home");
  const picked = files.locator('[aria-selected="true"]');
  await expect(picked).toHaveCount(1);
  const first = await picked.getAttribute("data-path");
  await page.keyboard.press("ArrowDown");
  await expect(picked).not.toHaveAttribute("data-path", first!);
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  const name = await picked.getAttribute("data-path");
  await expect(page.getByRole("textbox", { name: name! })).toBeVisible();
});
