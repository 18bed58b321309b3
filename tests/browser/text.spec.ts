/** The smallest change between two texts, without a page. */

import { expect, test } from "@playwright/test";
import { changes } from "../../web/editor/text";

interface Change {
  from: number;
  to: number;
  insert: string;
}

/** The changes as plain data; they are in order and do not overlap. */
function found(before: string, after: string): Change[] {
  return changes(before, after) as Change[];
}

function applied(before: string, list: Change[]): string {
  let [text, end] = ["", 0];
  for (const { from, to, insert } of list) {
    if (from < end) {
      throw new Error(`out of order: ${JSON.stringify(list)}`);
    }
    text += before.slice(end, from) + insert;
    end = to;
  }
  return text + before.slice(end);
}

test("the changes lead from one text to the other", () => {
  // Any order of a few lines, so that much is equal and much is moved; the same on every run.
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  const pieces = ["FROM a\n", "RUN b\n", "\n", "COPY . .\n", "# é 🐳\n", "RUN bb\n", "tail"];
  const text = () => Array.from({ length: random(9) }, () => pieces[random(pieces.length)]).join("");
  for (let round = 0; round < 5000; round++) {
    const [before, after] = [text(), text()];
    // An `expect` in each round would take most of the time.
    if (applied(before, found(before, after)) !== after) {
      throw new Error(`wrong from ${JSON.stringify(before)} to ${JSON.stringify(after)}`);
    }
  }
});

test("what stays is left alone", () => {
  expect(found("a\nb\nc\n", "a\nb\nc\n")).toEqual([]);
  expect(found("FROM a\nRUN xyz\nCMD c\n", "FROM a\nRUN xz\nCMD c\n")).toEqual([{ from: 12, to: 13, insert: "" }]);
  expect(found("a\nb\nc\n", "b\nc\na\n")).toEqual([
    { from: 0, to: 2, insert: "" },
    { from: 6, to: 6, insert: "a\n" },
  ]);
});

test("a very long text is replaced in one piece", () => {
  const before = Array.from({ length: 5000 }, (_, line) => `${line}\n`).join("");
  const after = Array.from({ length: 5000 }, (_, line) => `x${line}\n`).join("");
  const list = found(before, after);
  expect(list).toHaveLength(1);
  expect(applied(before, list)).toBe(after);
});
