/** The editor's contract, on an editor of its own beside the app. */

import type { Page } from "@playwright/test";
import type { Editor, EditorModule, Options } from "../../web/editor/api";
import { expect, expectAccessible, test } from "./page";

declare global {
  var layerwiseEditor: EditorModule;
  /** The editor under test, and what it has told. */
  var editor: Editor;
  var told: [string, ...unknown[]][];
}

const DOCKERFILE = [
  "FROM node:20-alpine",
  "WORKDIR /app",
  "# everything at once",
  "COPY . .",
  "RUN npm ci && \\",
  "    npm run build",
  'CMD ["node", "dist/server.js"]',
].join("\n");

const INSTRUCTIONS = [
  { label: "FROM node:20-alpine", line: 1, block: [1, 1], canMove: [false, false] },
  { label: "WORKDIR /app", line: 2, block: [2, 2], canMove: [false, true] },
  { label: "COPY . .", line: 4, block: [3, 4], canMove: [true, true] },
  { label: "RUN npm ci && npm run build", line: 5, block: [5, 6], canMove: [true, true] },
  { label: "CMD", line: 7, block: [7, 7], canMove: [true, false] },
] as const;

/** Puts an editor in front of the page. */
async function create(page: Page, options: Partial<Options> = {}): Promise<void> {
  await page.evaluate(
    ([options, instructions]) => {
      const host = document.createElement("div");
      host.id = "under-test";
      host.role = "region";
      host.ariaLabel = "Under test";
      Object.assign(host.style, {
        position: "fixed",
        inset: "0",
        zIndex: "1000",
        background: "Canvas",
        width: "800px",
        height: "400px",
      });
      document.body.append(host);
      globalThis.told = [];
      const tell =
        (what: string) =>
        (...words: unknown[]) => {
          globalThis.told.push([what, ...words]);
        };
      globalThis.editor = globalThis.layerwiseEditor.create(host, {
        label: "Dockerfile under test",
        language: "dockerfile",
        onChange: tell("change"),
        onCursor: tell("cursor"),
        onMove: tell("move"),
        onBuild: tell("build"),
        onUndo: tell("undo"),
        onRedo: tell("redo"),
        onFix: tell("fix"),
        onMark: tell("mark"),
        onRefused: tell("refused"),
        ...options,
      });
      globalThis.editor.setInstructions(instructions);
    },
    [{ text: DOCKERFILE, ...options }, INSTRUCTIONS] as const,
  );
}

/** What the editor told under one name, oldest first. */
function told(page: Page, what: string): Promise<unknown[][]> {
  return page.evaluate((what) => globalThis.told.filter(([name]) => name === what).map(([, ...words]) => words), what);
}

/** The text box. */
function content(page: Page) {
  return page.getByRole("textbox", { name: "Dockerfile under test" });
}

test("typing is told, setting the text is not", async ({ opened: page }) => {
  await create(page, { text: "FROM a" });
  await content(page).click();
  await page.keyboard.press("End");
  await page.keyboard.type("b");
  expect(await told(page, "change")).toEqual([["FROM ab"]]);
  await page.evaluate(() => globalThis.editor.setText("FROM abc\n"));
  await expect(content(page)).toHaveText("FROM abc");
  expect(await told(page, "change")).toHaveLength(1);
});

test("the cursor stays with its characters when the text around it changes", async ({ opened: page }) => {
  await create(page);
  await page.evaluate(() => globalThis.editor.goTo(4));
  await page.evaluate((text) => globalThis.editor.setText(`# first\n${text.replace("/app", "/srv")}\n`), DOCKERFILE);
  await page.keyboard.type("X");
  expect(await page.evaluate(() => globalThis.editor.text())).toContain("\nXCOPY . .\n");
});

test("positions are UTF-16 units, and are clamped", async ({ opened: page }) => {
  await create(page, { text: "# é 🐳\nRUN x" });
  await page.evaluate(() => {
    // "RUN x", behind the two units of the whale and five others.
    globalThis.editor.setDiagnostics([{ from: 7, to: 99, severity: "error", message: "no" }]);
    globalThis.editor.goTo(2);
  });
  await expect(page.locator("#under-test .cm-lintRange-error")).toHaveText("RUN x");
  expect((await told(page, "cursor")).at(-1)).toEqual([7, 2]);
});

test("a diagnostic offers its fixes", async ({ opened: page }) => {
  await create(page);
  await page.evaluate(() =>
    globalThis.editor.setDiagnostics([
      { from: 0, to: 4, severity: "warning", message: "odd", fixes: [{ id: "f1", label: "Repair" }] },
    ]),
  );
  await content(page).click();
  await page.keyboard.press("ControlOrMeta+Shift+M");
  await page.locator("#under-test").getByRole("button", { name: "Repair" }).click();
  expect(await told(page, "fix")).toEqual([["f1"]]);
});

test("Alt and an arrow ask for a whole instruction to move, and the cursor goes with it", async ({ opened: page }) => {
  await create(page);
  await page.evaluate(() => globalThis.editor.goTo(3));
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Alt+ArrowDown");
  expect(await told(page, "move")).toEqual([[2, 3]]);
  const lines = DOCKERFILE.split("\n");
  const moved = [...lines.slice(0, 2), ...lines.slice(4, 6), ...lines.slice(2, 4), lines[6]].join("\n");
  await page.evaluate((moved) => globalThis.editor.setText(moved), moved);
  await page.keyboard.type("X");
  expect(await page.evaluate(() => globalThis.editor.text())).toContain("#X everything at once\nCOPY . .");

  await page.evaluate(() => globalThis.editor.goTo(1));
  await page.keyboard.press("Alt+ArrowDown");
  expect(await told(page, "move")).toHaveLength(1);
});

test("a second Alt and arrow waits for the first to arrive", async ({ opened: page }) => {
  await create(page, { text: "FROM a\nRUN one\nRUN two\nRUN three" });
  await page.evaluate(() => {
    const at = (order: readonly string[]) =>
      order.map((label, index) => ({
        label,
        line: index + 1,
        block: [index + 1, index + 1] as const,
        canMove: [index > 1, index > 0 && index < 3] as const,
      }));
    globalThis.editor.setInstructions(at(["FROM a", "RUN one", "RUN two", "RUN three"]));
    globalThis.editor.goTo(2);
    Object.assign(globalThis, {
      answer: (order: readonly string[]) => {
        globalThis.editor.setText(order.join("\n"));
        globalThis.editor.setInstructions(at(order));
      },
    });
  });
  const answer = (...order: string[]) =>
    page.evaluate((order) => (globalThis as unknown as { answer(order: string[]): void }).answer(order), order);
  await page.keyboard.press("Alt+ArrowDown");
  await page.keyboard.press("Alt+ArrowDown");
  expect(await told(page, "move")).toEqual([[1, 2]]);
  await answer("FROM a", "RUN two", "RUN one", "RUN three");
  expect(await told(page, "move")).toEqual([[1, 2], [2, 3]]);
  await answer("FROM a", "RUN two", "RUN three", "RUN one");
  expect(await told(page, "move")).toHaveLength(2);
  await page.keyboard.type("#");
  expect(await page.evaluate(() => globalThis.editor.text())).toBe("FROM a\nRUN two\nRUN three\n#RUN one");
});

test("a handle drags an instruction, and Escape drops the drag", async ({ opened: page }) => {
  await create(page);
  const handles = page.locator("#under-test .lw-handles .cm-gutterElement .lw-handle:visible");
  await expect(handles).toHaveCount(INSTRUCTIONS.length - 1);
  const copy = (await handles.nth(1).boundingBox())!;
  const run = (await handles.nth(2).boundingBox())!;
  const drag = async () => {
    await page.mouse.move(copy.x + copy.width / 2, copy.y + copy.height / 2);
    await page.mouse.down();
    // Into the second line of RUN's two.
    await page.mouse.move(run.x + 5, run.y + run.height * 1.7, { steps: 5 });
    await expect(page.locator("#under-test .lw-drop")).toBeVisible();
  };
  await drag();
  await page.keyboard.press("Escape");
  await expect(page.locator("#under-test .lw-drop")).toHaveCount(0);
  await page.mouse.up();
  expect(await told(page, "move")).toEqual([]);

  await drag();
  await page.mouse.up();
  expect(await told(page, "move")).toEqual([[2, 3]]);
});

test("keys build, undo and redo, and Tab leaves", async ({ opened: page }) => {
  await create(page);
  await content(page).click();
  for (const key of ["Enter", "z", "Shift+Z", "y"]) {
    await page.keyboard.press(`ControlOrMeta+${key}`);
  }
  const words = await page.evaluate(() => globalThis.told.map(([what]) => what));
  expect(words.filter((word) => word !== "cursor")).toEqual(["build", "undo", "redo", "redo"]);
  expect(await page.evaluate(() => globalThis.editor.text())).toBe(DOCKERFILE);
  await page.keyboard.press("Tab");
  await expect(content(page)).not.toBeFocused();
});

test("marks have a shape and a word, notes stand at the right end", async ({ opened: page }) => {
  await create(page);
  await page.evaluate(() => {
    globalThis.editor.setGutter([
      { line: 1, status: "hit" },
      { line: 4, status: "miss", text: "will run: src/app.js changed" },
      { line: 99, status: "failed" },
    ]);
    globalThis.editor.setLineNotes([{ line: 4, text: "src/app.js changed", tone: "strong" }]);
    globalThis.editor.setSelectionLines([4]);
  });
  const marks = page.locator("#under-test .lw-status svg[data-status]:visible");
  await expect(marks).toHaveCount(2);
  await expect(marks.nth(0).locator("title")).toHaveText("cached");
  await expect(marks.nth(1).locator("title")).toHaveText("will run: src/app.js changed");
  expect(await marks.nth(0).locator("path").first().getAttribute("d")).not.toBe(
    await marks.nth(1).locator("path").first().getAttribute("d"),
  );
  await marks.nth(1).click();
  expect(await told(page, "mark")).toEqual([[4]]);

  const line = page.locator("#under-test .cm-line.lw-selected");
  await expect(line).toHaveText("COPY . .src/app.js changed");
  const note = (await page.locator("#under-test .lw-note").boundingBox())!;
  expect(note.x + note.width).toBeGreaterThan(750);
  await expectAccessible(page);
});

test("what is too long is refused", async ({ opened: page }) => {
  await create(page, { text: "FROM a", limit: 10 });
  await content(page).click();
  await page.keyboard.insertText("x".repeat(20));
  expect(await page.evaluate(() => globalThis.editor.text())).toBe("FROM a");
  expect(await told(page, "refused")).toEqual([[26]]);
});

test("a read-only editor can be read and not changed", async ({ opened: page }) => {
  await create(page, { readOnly: true });
  await content(page).click();
  await page.keyboard.type("x");
  await page.keyboard.press("Alt+ArrowDown");
  expect(await page.evaluate(() => globalThis.editor.text())).toBe(DOCKERFILE);
  expect(await told(page, "move")).toEqual([]);
});
