/** What the browser tests share: an opened page that must stay free of errors, axe, and screenshots. */

import AxeBuilder from "@axe-core/playwright";
import { test as base, expect, type Page } from "@playwright/test";

export { expect };

/** The widths at which the page is looked at, in pixels. */
export const WIDTHS = [1440, 768, 390] as const;

/** The themes. */
export const THEMES = ["light", "dark"] as const;

interface Fixtures {
  /** Errors of the page so far: uncaught ones, what is logged as one, and policy violations. */
  errors: string[];
  /** The page, opened, with the engine ready. A test fails if an error is left in `errors`. */
  opened: Page;
}

export const test = base.extend<Fixtures>({
  errors: async ({ page }, use) => {
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(`uncaught: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error") {
        errors.push(`logged: ${message.text()}`);
      }
    });
    page.on("requestfailed", (request) => {
      // What is on its way when the page is left is nobody's loss.
      if (request.failure()?.errorText !== "net::ERR_ABORTED") {
        errors.push(`not loaded: ${request.url()}`);
      }
    });
    await use(errors);
    expect(errors).toEqual([]);
  },
  opened: async ({ page, errors }, use) => {
    void errors;
    await open(page);
    await use(page);
  },
});

/** Opens the page and waits until app and engine run. */
export async function open(page: Page): Promise<void> {
  await page.goto("");
  await expect(page.locator("html")).toHaveAttribute("data-engine", "ready");
  await expect(page.locator("html")).toHaveAttribute("data-app", "ready");
}

/** Expects that axe finds nothing, in what is shown now. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, help, nodes }) => ({
    id,
    help,
    where: nodes.map((node) => node.target.join(" ")),
  }));
  expect(found).toEqual([]);
}

/** Calls `look` at every width and in every theme. The name says which: `1440-light`. */
export async function everyLook(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  for (const colorScheme of THEMES) {
    for (const width of WIDTHS) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: width < 500 ? 844 : 900 });
      await look(`${width}-${colorScheme}`);
    }
  }
}

/** Takes pictures of the page at every width and in every theme, into `test-results/screenshots/`. */
export async function screenshots(page: Page, name: string): Promise<void> {
  await everyLook(page, async (look) => {
    await page.screenshot({
      path: `test-results/screenshots/${name}-${look}.png`,
      animations: "disabled",
    });
  });
}

/** Expects that nothing is wider than the window. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const excess = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(excess).toBeLessThanOrEqual(0);
}
