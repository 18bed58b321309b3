/** What is shown at lines: the status gutter, notes at the right end, and the linked selection. */

import { type EditorState, type Extension, RangeSet, StateEffect, StateField } from "@codemirror/state";
import type { Text } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, gutter, GutterMarker, WidgetType } from "@codemirror/view";
import type { LineNote, Listeners, Mark, Status } from "./api";
import { clampLine } from "./text";

/** The word of a status, when a mark brings no words of its own. */
const WORDS: Record<Status, string> = {
  hit: "cached",
  miss: "will run",
  depends: "depends on another stage",
  config: "config only",
  skipped: "not built",
  unknown: "not known yet",
  failed: "failed",
};

/** The outline of a status and what is drawn in it, in a square of 16 units. */
const SHAPES: Record<Status, readonly [string, string]> = {
  hit: ["M8 1a7 7 0 1 0 0 14A7 7 0 1 0 8 1z", "M4.8 8.2 7 10.4l4.2-4.6"],
  miss: ["M8 2.2 13.8 8 8 13.8 2.2 8z", ""],
  depends: ["M8 2.2 13.8 8 8 13.8 2.2 8z", "M8 2.2v11.6"],
  config: ["M8 2a6 6 0 1 0 0 12A6 6 0 1 0 8 2z", ""],
  skipped: ["", "M4 8h8"],
  unknown: ["", "M5.6 5.8a2.4 2.4 0 1 1 3.6 2.1c-.8.5-1.2.9-1.2 1.8M8 12.2v.1"],
  failed: ["M2 2h12v12H2z", "M5.5 5.5l5 5M10.5 5.5l-5 5"],
};

class StatusMarker extends GutterMarker {
  constructor(readonly mark: Mark) {
    super();
  }

  get words(): string {
    return this.mark.text ?? WORDS[this.mark.status];
  }

  override eq(other: StatusMarker): boolean {
    return other.mark.status === this.mark.status && other.words === this.words;
  }

  override toDOM(): Node {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("viewBox", "0 0 16 16");
    svg.setAttribute("class", `lw-mark lw-mark-${this.mark.status}`);
    svg.dataset.status = this.mark.status;
    const title = document.createElementNS(space, "title");
    title.textContent = this.words;
    svg.append(title);
    SHAPES[this.mark.status].forEach((d, index) => {
      const path = document.createElementNS(space, "path");
      path.setAttribute("d", d);
      path.setAttribute("class", index === 0 ? "lw-outline" : "lw-inside");
      svg.append(path);
    });
    return svg;
  }
}

class NoteWidget extends WidgetType {
  constructor(readonly note: LineNote) {
    super();
  }

  override eq(other: NoteWidget): boolean {
    return other.note.text === this.note.text && other.note.tone === this.note.tone;
  }

  override toDOM(): HTMLElement {
    const span = document.createElement("span");
    span.className = `lw-note lw-note-${this.note.tone ?? "quiet"}`;
    span.textContent = this.note.text;
    return span;
  }
}

/** Sets the marks of the gutter. */
export const setMarks = StateEffect.define<readonly Mark[]>();
/** Sets the notes. */
export const setNotes = StateEffect.define<readonly LineNote[]>();
/** Sets the lines of the linked selection. */
export const setSelected = StateEffect.define<readonly number[]>();

/** The items that are in the document, at the starts of their lines; the last of a line counts. */
function starts<T>(doc: Text, items: readonly T[], line: (item: T) => number): [number, T][] {
  const byLine = new Map<number, T>();
  for (const item of items) {
    const number = line(item);
    if (number >= 1 && number <= doc.lines) {
      byLine.set(number, item);
    }
  }
  return [...byLine].sort(([a], [b]) => a - b).map(([number, item]) => [doc.line(number).from, item]);
}

const marks = StateField.define<RangeSet<StatusMarker>>({
  create: () => RangeSet.empty,
  update(value, transaction) {
    value = value.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (effect.is(setMarks)) {
        const at = starts(transaction.state.doc, effect.value, (mark) => mark.line);
        value = RangeSet.of(at.map(([from, mark]) => new StatusMarker(mark).range(from)));
      }
    }
    return value;
  },
});

const notes = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(value, transaction) {
    value = value.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (effect.is(setNotes)) {
        const { doc } = transaction.state;
        const at = starts(doc, effect.value, (note) => note.line);
        value = Decoration.set(
          at.flatMap(([from, note]) => [
            Decoration.line({ class: "lw-noted" }).range(from),
            Decoration.widget({ widget: new NoteWidget(note), side: 1 }).range(doc.lineAt(from).to),
          ]),
          true,
        );
      }
    }
    return value;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const selected = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(value, transaction) {
    value = value.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (effect.is(setSelected)) {
        const at = starts(transaction.state.doc, effect.value, (line) => line);
        value = Decoration.set(at.map(([from]) => Decoration.line({ class: "lw-selected" }).range(from)));
      }
    }
    return value;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** What the mark at a line says, if there is one. */
function markWords(state: EditorState, line: number): string | undefined {
  const { from } = state.doc.line(clampLine(state.doc, line));
  let words: string | undefined;
  state.field(marks).between(from, from, (_from, _to, marker) => {
    words = marker.words;
  });
  return words;
}

/** The gutter is hidden from assistive technology: the mark of the line that is entered is spoken. */
const spoken = EditorView.updateListener.of((update) => {
  if (!update.selectionSet || update.docChanged || !update.view.hasFocus) {
    return;
  }
  const before = update.startState.doc.lineAt(update.startState.selection.main.head).number;
  const now = update.state.doc.lineAt(update.state.selection.main.head).number;
  const words = before === now ? undefined : markWords(update.state, now);
  if (words !== undefined) {
    queueMicrotask(() => update.view.dispatch({ effects: EditorView.announce.of(words) }));
  }
});

/** The status gutter. */
export function statusGutter(listeners: Listeners): Extension {
  return [
    marks,
    spoken,
    gutter({
      class: "lw-status",
      markers: (view) => view.state.field(marks),
      initialSpacer: () => new StatusMarker({ line: 1, status: "hit" }),
      domEventHandlers: {
        click(view, block) {
          listeners.onMark?.(view.state.doc.lineAt(block.from).number);
          return true;
        },
      },
    }),
  ];
}

/** Notes and linked selection. */
export const lineMarks: Extension = [notes, selected];
