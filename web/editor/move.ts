/** Moving whole instructions: by their handles with the pointer, by Alt and an arrow key. */

import { type EditorState, type Extension, Prec, RangeSet, StateEffect, StateField } from "@codemirror/state";
import { type EditorView, gutter, GutterMarker, keymap, ViewPlugin } from "@codemirror/view";
import type { Instruction, Listeners } from "./api";
import { clampLine } from "./text";

/** Sets the instructions that can be moved. */
export const setInstructions = StateEffect.define<readonly Instruction[]>();

/** An instruction by positions, which follow the edits until the application sends news. */
interface Block {
  /** The start of its first line. */
  from: number;
  /** The start of its keyword's line. */
  keyword: number;
  /** The end of its last line. */
  to: number;
  label: string;
  canMove: readonly [boolean, boolean];
}

const blocks = StateField.define<readonly Block[]>({
  create: () => [],
  update(value, transaction) {
    const { changes, effects, state } = transaction;
    if (!changes.empty) {
      value = value.map((block) => ({
        ...block,
        from: changes.mapPos(block.from, 1),
        keyword: changes.mapPos(block.keyword, 1),
        to: changes.mapPos(block.to, -1),
      }));
    }
    for (const effect of effects) {
      if (effect.is(setInstructions)) {
        const line = (number: number) => state.doc.line(clampLine(state.doc, number));
        value = effect.value.map(({ label, line: keyword, block: [first, last], canMove }) => ({
          from: line(first).from,
          keyword: line(keyword).from,
          to: line(last).to,
          label,
          canMove,
        }));
      }
    }
    return value;
  },
});

class Handle extends GutterMarker {
  constructor(readonly label: string) {
    super();
  }

  override eq(other: Handle): boolean {
    return other.label === this.label;
  }

  override toDOM(): Node {
    const handle = document.createElement("span");
    handle.className = "lw-handle";
    handle.title = `Drag to move ${this.label}, or press Alt with an arrow key`;
    return handle;
  }
}

/** The number of the instruction at a position, or -1. */
function blockAt(state: EditorState, position: number): number {
  return state.field(blocks).findIndex((block) => block.from <= position && position <= block.to);
}

/** How long an answer to a move is awaited, in milliseconds. A move that is refused gets none. */
const PATIENCE = 2000;

/**
 * Moves by the keyboard, one at a time: a key that is pressed before the last move has arrived would
 * speak of the old order, so it waits for the new one.
 */
export class KeyMoves {
  #asked = -Infinity;
  #answered = true;
  #held: (1 | -1)[] = [];

  constructor(readonly listeners: Listeners) {}

  /** Asks for the instruction at the cursor to move by one place, now or when its turn comes. */
  move(view: EditorView, distance: 1 | -1): boolean {
    if (!this.#answered && performance.now() - this.#asked < PATIENCE) {
      this.#held.push(distance);
    } else {
      this.#held = [];
      this.#ask(view, distance);
    }
    return true;
  }

  #ask({ state }: EditorView, distance: 1 | -1): void {
    const from = blockAt(state, state.selection.main.head);
    const [up, down] = state.field(blocks)[from]?.canMove ?? [false, false];
    if ((distance < 0 ? up : down) && !state.readOnly) {
      this.#asked = performance.now();
      this.#answered = false;
      this.listeners.onMove?.(from, from + distance);
    }
  }

  /** The text has changed: the next instructions are of the new order. */
  answered(): void {
    this.#answered = true;
  }

  /** The instructions are known again: the next key has its turn. */
  next(view: EditorView): void {
    const distance = this.#answered ? this.#held.shift() : undefined;
    if (distance !== undefined) {
      this.#ask(view, distance);
    }
  }
}

/** A handle that is being dragged. */
class Drag {
  readonly #indicator = document.createElement("div");
  readonly #ended = new AbortController();
  readonly #from: number;
  readonly #pointer: number;
  /** The instruction before which it would be dropped. */
  #gap: number;

  constructor(
    readonly view: EditorView,
    readonly listeners: Listeners,
    event: PointerEvent,
    from: number,
  ) {
    this.#from = from;
    this.#gap = from;
    this.#pointer = event.pointerId;
    this.#indicator.className = "lw-drop";
    view.dom.classList.add("lw-dragging");
    view.scrollDOM.append(this.#indicator);
    const { signal } = this.#ended;
    const of = <E extends PointerEvent>(handle: (event: E) => void) => (event: E) => {
      if (event.pointerId === this.#pointer) {
        handle(event);
      }
    };
    const target = view.dom.ownerDocument;
    target.addEventListener("pointermove", of((event) => this.#follow(event.clientY)), { signal });
    target.addEventListener("pointerup", of(() => this.#drop()), { signal });
    target.addEventListener("pointercancel", of(() => this.end()), { signal });
    target.addEventListener(
      "keydown",
      (event) => {
        if (event.key === "Escape") {
          event.preventDefault();
          event.stopPropagation();
          this.end();
        }
      },
      { signal, capture: true },
    );
    this.#follow(event.clientY);
  }

  /** Without a drop. */
  end(): void {
    this.#ended.abort();
    this.#indicator.remove();
    this.view.dom.classList.remove("lw-dragging");
  }

  #follow(clientY: number): void {
    const { view } = this;
    const { top, bottom } = view.scrollDOM.getBoundingClientRect();
    const edge = 24;
    if (clientY < top + edge || clientY > bottom - edge) {
      view.scrollDOM.scrollBy(0, clientY < top + edge ? -edge / 2 : edge / 2);
    }
    const y = clientY - view.documentTop;
    const all = view.state.field(blocks);
    const boxes = all.map((block) => ({
      top: view.lineBlockAt(block.from).top,
      bottom: view.lineBlockAt(block.to).bottom,
    }));
    const below = boxes.findIndex((box) => y < (box.top + box.bottom) / 2);
    this.#gap = below < 0 ? all.length : below;
    const line = boxes[this.#gap]?.top ?? boxes.at(-1)?.bottom ?? 0;
    // From the scroller's own top, since that is what the indicator is placed against.
    const inset = view.documentTop - top + view.scrollDOM.scrollTop;
    this.#indicator.style.top = `${inset + line}px`;
    this.#indicator.hidden = this.#to === this.#from;
  }

  get #to(): number {
    return this.#gap > this.#from ? this.#gap - 1 : this.#gap;
  }

  #drop(): void {
    this.end();
    if (this.#to !== this.#from) {
      this.listeners.onMove?.(this.#from, this.#to);
    }
  }
}

/** Handles in a gutter, and the keys. */
export function moving(listeners: Listeners, keys: KeyMoves): Extension {
  let drag: Drag | undefined;
  return [
    blocks,
    gutter({
      class: "lw-handles",
      markers: ({ state }) =>
        state.readOnly
          ? RangeSet.empty
          : RangeSet.of(
              state
                .field(blocks)
                .filter((block) => block.canMove.includes(true))
                .map((block) => new Handle(block.label).range(state.doc.lineAt(block.keyword).from)),
              true,
            ),
      initialSpacer: () => new Handle(""),
      domEventHandlers: {
        pointerdown(view, line, event) {
          const from = blockAt(view.state, line.from);
          const isHandle = event.target instanceof Element && event.target.closest(".lw-handle") !== null;
          if (!(event instanceof PointerEvent) || event.button !== 0 || from < 0 || !isHandle) {
            return false;
          }
          event.preventDefault();
          drag?.end();
          drag = new Drag(view, listeners, event, from);
          return true;
        },
      },
    }),
    ViewPlugin.define(() => ({ destroy: () => drag?.end() })),
    Prec.high(
      keymap.of([
        { key: "Alt-ArrowUp", run: (view) => keys.move(view, -1) },
        { key: "Alt-ArrowDown", run: (view) => keys.move(view, 1) },
      ]),
    ),
  ];
}

/** The text of the instruction at the cursor and where the cursor is in it. */
export function atCursor(state: EditorState): { text: string; offset: number } | undefined {
  const { head } = state.selection.main;
  const block = state.field(blocks, false)?.[blockAt(state, head)];
  return block && { text: state.sliceDoc(block.from, block.to), offset: head - block.from };
}
