/** The workbench as the tests see it: what is where, by what a user would call it. */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Locator, Page } from "@playwright/test";
import { expect, open, test as base } from "./page";

export { expect };

/** The panes, and the tabs of the dock. */
export type Pane = "Files" | "Dockerfile" | "Image" | "Steps" | "Compare" | "Log" | "History" | "Problems";

/** A page with the first example opened. */
export class Workbench {
  constructor(readonly page: Page) {}

  /** The text box of the Dockerfile. */
  get dockerfile(): Locator {
    return this.page.getByRole("textbox", { name: "Dockerfile", exact: true });
  }

  /** The bar under the editor. */
  get verdict(): Locator {
    return this.page.getByRole("group", { name: "The next build" });
  }

  /** The build context. */
  get files(): Locator {
    return this.page.getByRole("tree", { name: "Files of the build context" });
  }

  /** The rows of the last build's table of steps. */
  get steps(): Locator {
    return this.page.locator("table.steps tbody tr");
  }

  /** The layers that are shown, the uppermost first. */
  get layers(): Locator {
    return this.page.locator(".stack [data-layer]");
  }

  /** What is told beside the views. */
  get notice(): Locator {
    return this.page.locator(".notice");
  }

  /** The marks of the gutter, from the top. */
  async marks(): Promise<string[]> {
    const marks = this.page.locator(".lw-status svg[data-status]:visible");
    return marks.evaluateAll((all) => all.map((mark) => (mark as SVGElement).dataset["status"] ?? ""));
  }

  /** The Dockerfile as it is shown. */
  async text(): Promise<string> {
    const lines = await this.page.locator(".editor .cm-line").evaluateAll((all) =>
      all.map((line) => {
        const copy = line.cloneNode(true) as HTMLElement;
        copy.querySelectorAll(".lw-note").forEach((note) => note.remove());
        return copy.textContent ?? "";
      }),
    );
    return lines.join("\n");
  }

  /** Whether the panes are shown one at a time. */
  async isNarrow(): Promise<boolean> {
    return this.page.getByRole("navigation", { name: "Panes" }).isVisible();
  }

  /** Shows a pane. */
  async show(pane: Pane): Promise<void> {
    if (await this.isNarrow()) {
      await this.page.getByRole("navigation", { name: "Panes" }).getByRole("button", { name: pane }).click();
    } else if (!["Files", "Dockerfile", "Image"].includes(pane)) {
      await this.page.getByRole("tab", { name: pane }).click();
    }
  }

  /** Replaces the whole Dockerfile by a paste. */
  async paste(text: string): Promise<void> {
    await this.dockerfile.click();
    await this.page.keyboard.press("ControlOrMeta+a");
    await this.dockerfile.evaluate((content, text) => {
      const data = new DataTransfer();
      data.setData("text/plain", text);
      content.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    }, text);
    await expect.poll(() => this.text()).toBe(text);
  }

  /** Builds, and waits until the build is told. */
  async build(): Promise<void> {
    const told = this.page.getByRole("status").filter({ hasText: /^Build \d+/ });
    const before = (await told.count()) > 0 ? await told.textContent() : "";
    await this.page.locator("header").getByRole("button", { name: /^Build/ }).click();
    await expect(told).toHaveText(/^Build \d+/);
    await expect(told).not.toHaveText(before ?? "", { useInnerText: true });
    await this.idle();
  }

  /** Waits until nothing runs that the user waits for. */
  async idle(): Promise<void> {
    await expect(this.page.locator("header").getByRole("button", { name: /^Build/ })).toBeVisible();
  }

  /** The place of an instruction's line, by what it begins with. */
  line(start: string): Locator {
    return this.page.locator(".editor .cm-line").filter({ hasText: new RegExp(`^${RegExp.escape(start)}`) });
  }

  /** The files of the image as an OCI archive, by path. */
  async exported(): Promise<Map<string, Buffer>> {
    await this.page.getByRole("button", { name: "Export" }).click();
    const download = this.page.waitForEvent("download");
    await this.page.getByRole("menuitem", { name: /^OCI/ }).click();
    return untar(await readFile(await (await download).path()));
  }
}

declare global {
  interface RegExpConstructor {
    escape(text: string): string;
  }
}
RegExp.escape ??= (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The regular files of a tar. */
export function untar(tar: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let at = 0; at + 512 <= tar.length; ) {
    const text = (from: number, length: number) =>
      tar
        .subarray(at + from, at + from + length)
        .toString("utf8")
        .replace(/\0.*$/s, "");
    const name = text(0, 100);
    if (name === "") {
      break;
    }
    const size = parseInt(text(124, 12).trim(), 8);
    const type = text(156, 1);
    if (type === "0" || type === "") {
      const prefix = text(345, 155);
      files.set(prefix === "" ? name : `${prefix}/${name}`, tar.subarray(at + 512, at + 512 + size));
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/** `sha256:…` of bytes. */
export function digest(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** The tests of the workbench begin with the first example, built. */
export const test = base.extend<{ bench: Workbench }>({
  bench: async ({ page, errors }, use) => {
    void errors;
    await open(page);
    const bench = new Workbench(page);
    await expect(bench.verdict).toContainText("steps cached");
    await use(bench);
  },
});
