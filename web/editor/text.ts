/** Positions in a text, and the smallest change from one text to another. */

import type { ChangeSpec, Text } from "@codemirror/state";

/** A line number that is in the document. */
export function clampLine(doc: Text, line: number): number {
  return Math.min(Math.max(1, Math.trunc(line)), doc.lines);
}

/** Up to how many pairs of lines are compared to find what moved. */
const COMPARISONS = 1_000_000;

/**
 * Changes that make `before` into `after` and leave alone the lines that both have in order, so that
 * cursor and scroll position stay where they are.
 */
export function changes(before: string, after: string): ChangeSpec[] {
  const old = before.match(LINE) ?? [];
  const now = after.match(LINE) ?? [];
  let start = 0;
  let from = 0;
  while (start < Math.min(old.length, now.length) && old[start] === now[start]) {
    from += old[start]!.length;
    start += 1;
  }
  let end = 0;
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) {
    end += 1;
  }
  const a = old.slice(start, old.length - end);
  const b = now.slice(start, now.length - end);
  if (a.length * b.length > COMPARISONS) {
    return replacement(from, a.join(""), b.join(""));
  }

  // The longest common subsequence of the lines between.
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] =
        a[i] === b[j]
          ? common[(i + 1) * width + j + 1]! + 1
          : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
    }
  }
  const specs: ChangeSpec[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      from += a[i]!.length;
      i += 1;
      j += 1;
      continue;
    }
    let removed = "";
    let added = "";
    while ((i < a.length || j < b.length) && !(i < a.length && j < b.length && a[i] === b[j])) {
      if (j >= b.length || (i < a.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!)) {
        removed += a[i++];
      } else {
        added += b[j++];
      }
    }
    specs.push(...replacement(from, removed, added));
    from += removed.length;
  }
  return specs;
}

/** A line with its end, or the last one without. */
const LINE = /[^\n]*\n|[^\n]+$/g;

/** `removed`, which stands at `from`, becomes `added`: without what both begin and end with. */
function replacement(from: number, removed: string, added: string): ChangeSpec[] {
  let start = 0;
  const shorter = Math.min(removed.length, added.length);
  while (start < shorter && removed[start] === added[start]) {
    start += 1;
  }
  let end = 0;
  while (end < shorter - start && removed.at(-1 - end) === added.at(-1 - end)) {
    end += 1;
  }
  if (removed.length === added.length && start === removed.length) {
    return [];
  }
  return [
    {
      from: from + start,
      to: from + removed.length - end,
      insert: added.slice(start, added.length - end),
    },
  ];
}
