/**
 * What the page knows of the text editor: the contract between the Yew app and CodeMirror.
 *
 * The start module puts an {@link EditorModule} on `globalThis.layerwiseEditor` before the app
 * runs; the Rust side binds it with `#[wasm_bindgen(js_namespace = layerwiseEditor)]`.
 *
 * Two conventions hold throughout:
 *
 * - **Positions are UTF-16 units** and **lines count from 1**, as in the engine's view model. What
 *   lies outside the text is clamped to it, so that marks that are one keystroke late never fail.
 * - **The application owns the text's history.** CodeMirror's own is off: undo and redo are
 *   requests ({@link Listeners.onUndo}), and {@link Editor.setText} is never reported as a change.
 *
 * Colours and fonts are the page's custom properties: `--ink`, `--soft`, `--line`, `--panel`, `--sunk`,
 * `--accent`, `--accent-ink`, `--hit`, `--hit-bg`, `--built`, `--built-bg`, `--fail`, `--fail-bg`,
 * `--sans`, `--mono`, `--code-size`, `--code-leading`. Tab leaves the editor, Mod-[ and Mod-] indent.
 */

/** The module itself: `globalThis.layerwiseEditor`. */
export interface EditorModule {
  /** Puts an editor into `parent`, as its last child. */
  create(parent: HTMLElement, options: Options): Editor;
}

/** What is highlighted as what. */
export type Language = "dockerfile" | "text";

/** What {@link EditorModule.create} needs to know. */
export interface Options extends Listeners {
  /** The name that assistive technology reads: "Dockerfile", "src/app.js". */
  label: string;
  /** The first text; empty by default. */
  text?: string;
  /**
   * `"dockerfile"` adds highlighting, the status gutter and the drag handles; `"text"` (the default)
   * is for the other files of the context.
   */
  language?: Language;
  /** Whether the text can only be read; `false` by default. */
  readOnly?: boolean;
  /**
   * The most UTF-16 units that an edit may bring the text to; without limit by default. A longer
   * paste changes nothing and is reported to {@link Listeners.onRefused}.
   */
  limit?: number;
}

/** What the editor tells the application. Each is optional; none is called during `create`. */
export interface Listeners {
  /** The user changed the text. `text` is all of it. */
  onChange?(text: string): void;
  /** The cursor moved: to an offset, and the line it is on. */
  onCursor?(offset: number, line: number): void;
  /**
   * The user asks for instruction `from` to become number `to` of the instructions, counting from 0
   * in the order last given to {@link Editor.setInstructions} with `from` taken out. The editor
   * changes nothing by itself: the application answers with {@link Editor.setText}.
   */
  onMove?(from: number, to: number): void;
  /** Mod-Enter. (Mod is Command on a Mac, Control elsewhere.) */
  onBuild?(): void;
  /** Mod-z. */
  onUndo?(): void;
  /** Mod-Shift-z, or Mod-y. */
  onRedo?(): void;
  /** A fix of a diagnostic was chosen: the `id` of a {@link Fix}. */
  onFix?(id: string): void;
  /** A mark in the status gutter was clicked: the line it is on. */
  onMark?(line: number): void;
  /** An edit was refused, since it would have made the text `length` units long. */
  onRefused?(length: number): void;
}

/** An editor on the page. */
export interface Editor {
  /**
   * Replaces the text by the smallest change, so that cursor, selection and scroll position stay
   * with the characters they are at. Not reported as a change.
   */
  setText(text: string): void;
  /** The text as it stands. */
  text(): string;
  /** Underlines diagnostics and lists them in the lint panel (Mod-Shift-m) and at the lines. */
  setDiagnostics(diagnostics: readonly Diagnostic[]): void;
  /** The marks of the status gutter, at most one a line. */
  setGutter(marks: readonly Mark[]): void;
  /** Short notes at the right end of lines, at most one a line. */
  setLineNotes(notes: readonly LineNote[]): void;
  /** Marks lines as part of what is selected elsewhere on the page; an empty list clears. */
  setSelectionLines(lines: readonly number[]): void;
  /** The instructions that can be moved, in the order of the text. */
  setInstructions(instructions: readonly Instruction[]): void;
  /** Whether the text can only be read. */
  setReadOnly(readOnly: boolean): void;
  /** Puts the cursor at the start of a line, scrolls it into view and focuses the editor. */
  goTo(line: number): void;
  /** Puts the keyboard focus on the text. */
  focus(): void;
  /** Removes the editor from the page and drops its listeners. */
  destroy(): void;
}

/** Something to say about a part of the text. */
export interface Diagnostic {
  /** First UTF-16 unit. */
  from: number;
  /** The unit behind the last; equal to `from` for a place between two characters. */
  to: number;
  severity: "error" | "warning" | "info";
  message: string;
  /** Where it comes from, such as a rule's name; shown behind the message. */
  source?: string;
  /** What would help, as buttons. */
  fixes?: readonly Fix[];
}

/** A way out of a diagnostic: choosing it calls {@link Listeners.onFix}. */
export interface Fix {
  /** What the application knows it by. */
  id: string;
  /** The words on the button. */
  label: string;
}

/**
 * What the next build does with an instruction. Each status has a shape, a word and a colour:
 *
 * | status | shape | word |
 * |---|---|---|
 * | `hit` | filled disc with a tick | cached |
 * | `miss` | diamond | will run |
 * | `depends` | half diamond | depends on another stage |
 * | `config` | dashed ring | config only |
 * | `skipped` | dash | not built |
 * | `unknown` | question mark | not known yet |
 * | `failed` | filled square with a cross | failed |
 */
export type Status = "hit" | "miss" | "depends" | "config" | "skipped" | "unknown" | "failed";

/** A mark of the status gutter. */
export interface Mark {
  line: number;
  status: Status;
  /** The words for tooltip and screen reader; the status's own word when absent. */
  text?: string;
}

/** A short text at the right end of a line: "src/app.js changed", "step 3 missed · 40.1 s". */
export interface LineNote {
  line: number;
  text: string;
  /** `strong` is set off as a pill, `quiet` (the default) is plain and faint. */
  tone?: "strong" | "quiet";
}

/** An instruction as it moves: with the comments right above it and all continuation lines. */
export interface Instruction {
  /** What it is called: "COPY . .". */
  label: string;
  /** The line of its keyword, which bears the handle. */
  line: number;
  /** First and last line of what moves. */
  block: readonly [number, number];
  /** Whether it can move up, and down. What can do neither has no handle. */
  canMove: readonly [boolean, boolean];
}
