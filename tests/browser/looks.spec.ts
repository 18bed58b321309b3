/** Every view at every width and in both themes; the page on a phone, and without a mouse. */

import { everyLook, expectAccessible, expectNoSidewaysScroll, screenshots } from "./page";
import type { Pane } from "./workbench";
import { expect, test } from "./workbench";

const PANES: Pane[] = ["Files", "Dockerfile", "Image", "Steps", "Compare", "Log", "History", "Problems"];

for (const pane of PANES) {
  test(`${pane}: accessible, and nothing out of place`, async ({ bench }) => {
    await bench.page.getByRole("button", { name: "Edit src/app.js" }).click();
    await expect(bench.verdict).toContainText("src/app.js changed");
    await everyLook(bench.page, async () => {
      await bench.show(pane);
      await expectNoSidewaysScroll(bench.page);
      await expectAccessible(bench.page);
    });
    await screenshots(bench.page, pane.toLowerCase());
  });
}

test("nothing is wider than the window at 320 pixels", async ({ bench }) => {
  await bench.page.setViewportSize({ width: 320, height: 640 });
  for (const pane of PANES) {
    await bench.show(pane);
    await expectNoSidewaysScroll(bench.page);
  }
});

test("what is pressed is at least 24 pixels high and wide", async ({ bench }) => {
  // A layer that is being laid is still growing.
  await bench.page.emulateMedia({ reducedMotion: "reduce" });
  await everyLook(bench.page, async () => {
    for (const pane of PANES) {
      await bench.show(pane);
      const small = await bench.page
        .locator("button:visible, select:visible, [role=treeitem]:visible")
        .evaluateAll((all) =>
          all
            .map((each) => ({ box: each.getBoundingClientRect(), name: each.getAttribute("aria-label") ?? each.textContent }))
            .filter(({ box }) => box.width < 24 || box.height < 24)
            .map(({ box, name }) => `${name}: ${box.width} × ${box.height}`),
        );
      // A band is pressed anywhere in it.
      const bands = await bench.page.locator(".band-main:visible").allTextContents();
      expect(small.filter((each) => !bands.some((band) => each.startsWith(band)))).toEqual([]);
    }
  });
});

test("the theme is switched, and remembered", async ({ bench }) => {
  const { page } = bench;
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByRole("button", { name: "Dark theme" }).click();
  const dark = await ground();
  expect(dark).not.toBe(light);
  await page.reload();
  await expect(bench.verdict).toBeVisible();
  expect(await ground()).toBe(dark);
});

test("on a phone: edit, build, look into a layer", async ({ bench }) => {
  const { page } = bench;
  await page.setViewportSize({ width: 390, height: 844 });
  await bench.show("Dockerfile");
  await page.getByRole("button", { name: "Edit src/app.js" }).click();
  await expect(bench.verdict).toContainText("src/app.js changed");
  await bench.build();
  await bench.show("Steps");
  await bench.steps.filter({ hasText: "COPY . ." }).click();
  await expect(page.getByRole("region", { name: "Why" })).toContainText("src/app.js");
  await bench.show("Image");
  await bench.layers.filter({ hasText: "COPY . ." }).getByRole("button").first().click();
  const file = page.getByRole("tree", { name: /^Files of layer/ }).locator('[data-path="app/src/app.js"]');
  await file.scrollIntoViewIfNeeded();
  await file.click();
  await expect(page.locator(".peek-text")).toBeVisible();
  await bench.show("Files");
  await bench.files.locator('[data-path="package.json"]').click();
  await expect(page.getByRole("textbox", { name: "package.json" })).toBeVisible();
  await expectNoSidewaysScroll(page);
});

test("without a mouse: edit, reorder, build, look into a layer", async ({ bench }) => {
  const { page } = bench;
  const press = async (key: string, times = 1) => {
    for (let time = 0; time < times; time++) {
      await page.keyboard.press(key);
    }
  };
  /** Goes on with Tab until what has the focus has the name. */
  const tabTo = async (name: RegExp) => {
    for (let step = 0; step < 120; step++) {
      await press("Tab");
      const focused = await page.evaluate(() => {
        const element = document.activeElement;
        return element?.getAttribute("aria-label") ?? element?.textContent ?? "";
      });
      if (name.test(focused)) {
        return;
      }
    }
    throw new Error(`Tab does not come to ${name}`);
  };
  await tabTo(/^Edit src\/app\.js$/);
  await press("Enter");
  await expect(bench.verdict).toContainText("src/app.js changed");
  await tabTo(/^Files of the build context$/);
  await tabTo(/^Dockerfile$/);
  await page.keyboard.press("Tab");
  await bench.dockerfile.focus();
  await press("ControlOrMeta+Home");
  const lines = (await bench.text()).split("\n");
  await press("ArrowDown", lines.findIndex((line) => line.startsWith("COPY . .")));
  await press("Alt+ArrowDown");
  await expect
    .poll(async () => {
      const text = await bench.text();
      return text.indexOf("COPY . .") > text.indexOf("RUN npm ci");
    })
    .toBe(true);
  await press("ControlOrMeta+Enter");
  await bench.idle();
  await expect(page.getByRole("status").filter({ hasText: /^Build \d+/ })).toContainText("steps cached");
  await tabTo(/^COPY \. \./);
  await press("Enter");
  await tabTo(/^Files of layer/);
  await press("End");
  await press("Enter");
  await expect(page.locator(".peek")).toBeVisible();
});
