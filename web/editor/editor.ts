/** The text editor: CodeMirror behind the contract of `api.ts`. */

import { defaultKeymap } from "@codemirror/commands";
import { StreamLanguage } from "@codemirror/language";
import { dockerFile } from "@codemirror/legacy-modes/mode/dockerfile";
import { lintKeymap, setDiagnostics } from "@codemirror/lint";
import { Annotation, Compartment, EditorState, type Extension, Prec, Transaction } from "@codemirror/state";
import { EditorView, highlightActiveLine, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import type {
  Diagnostic,
  Editor,
  EditorModule,
  Instruction,
  LineNote,
  Listeners,
  Mark,
  Options,
} from "./api";
import { lineMarks, setMarks, setNotes, setSelected, statusGutter } from "./marks";
import { atCursor, KeyMoves, moving, setInstructions } from "./move";
import { changes, clampLine } from "./text";
import { adoptStyles, look } from "./theme";

adoptStyles();

/** Marks a change as the application's own. */
const external = Annotation.define<boolean>();

/** A key binding that asks the application for something, if it listens. */
function request(key: string, listener: (() => void) | undefined) {
  return { key, preventDefault: true, run: () => (listener?.(), true) };
}

class CodeMirror implements Editor {
  readonly #view: EditorView;
  readonly #listeners: Listeners;
  readonly #readOnly = new Compartment();
  readonly #keyMoves: KeyMoves;
  /** The instruction that the user asked to move, and the cursor's place in it. */
  #moving: { text: string; offset: number; place: number } | undefined;

  constructor(parent: HTMLElement, options: Options) {
    this.#listeners = {
      ...options,
      onMove: (from, to) => {
        const at = atCursor(this.#view.state);
        this.#moving = at && { ...at, place: to - from };
        options.onMove?.(from, to);
      },
    };
    this.#keyMoves = new KeyMoves(this.#listeners);
    const isDockerfile = options.language === "dockerfile";
    this.#view = new EditorView({
      parent,
      state: EditorState.create({
        doc: options.text ?? "",
        extensions: [
          isDockerfile ? moving(this.#listeners, this.#keyMoves) : [],
          lineNumbers(),
          isDockerfile ? [statusGutter(this.#listeners), StreamLanguage.define(dockerFile)] : [],
          lineMarks,
          highlightSpecialChars(),
          highlightActiveLine(),
          EditorView.lineWrapping,
          EditorState.allowMultipleSelections.of(false),
          EditorState.lineSeparator.of("\n"),
          EditorView.contentAttributes.of({ "aria-label": options.label, spellcheck: "false", tabindex: "0" }),
          limit(options),
          this.#keys(),
          this.#readOnly.of(EditorState.readOnly.of(options.readOnly ?? false)),
          EditorView.updateListener.of((update) => {
            const { state, transactions } = update;
            if (update.docChanged && !transactions.some((each) => each.annotation(external) === true)) {
              this.#moving = undefined;
              this.#listeners.onChange?.(state.doc.toString());
            }
            if (update.selectionSet || update.docChanged) {
              const { head } = state.selection.main;
              this.#listeners.onCursor?.(head, state.doc.lineAt(head).number);
            }
          }),
          look,
        ],
      }),
    });
  }

  #keys(): Extension {
    const { onBuild, onUndo, onRedo } = this.#listeners;
    // Tab is not bound: it leaves the editor. Mod-[ and Mod-] indent.
    return [
      Prec.high([
        // By hand: with Shift or Caps Lock, browsers report the letter in either case.
        EditorView.domEventHandlers({
          keydown: ({ key, ctrlKey, metaKey, shiftKey, altKey }) => {
            const isHistory = key.toLowerCase() === "z" && ctrlKey !== metaKey && !altKey;
            if (isHistory) {
              (shiftKey ? onRedo : onUndo)?.();
            }
            return isHistory;
          },
        }),
        keymap.of([request("Mod-Enter", onBuild), request("Mod-y", onRedo)]),
      ]),
      keymap.of([...lintKeymap, ...defaultKeymap]),
    ];
  }

  setText(text: string): void {
    const { state } = this.#view;
    const moving = this.#moving;
    this.#moving = undefined;
    const specs = changes(state.doc.toString(), text);
    if (specs.length === 0) {
      return;
    }
    const transaction = state.update({
      changes: specs,
      annotations: [external.of(true), Transaction.addToHistory.of(false)],
    });
    this.#view.dispatch(transaction);
    this.#keyMoves.answered();
    if (moving !== undefined) {
      this.#follow(moving, transaction.changes.mapPos(state.selection.main.head));
    }
  }

  /** Puts the cursor back into the instruction that has moved: the nearest with its text. */
  #follow({ text, offset, place }: { text: string; offset: number; place: number }, near: number): void {
    const doc = this.#view.state.doc.toString();
    const at = place < 0 ? doc.lastIndexOf(text, near) : doc.indexOf(text, Math.max(0, near - text.length));
    if (at >= 0) {
      this.#view.dispatch({ selection: { anchor: at + offset }, scrollIntoView: true });
    }
  }

  text(): string {
    return this.#view.state.doc.toString();
  }

  setDiagnostics(diagnostics: readonly Diagnostic[]): void {
    const { length } = this.#view.state.doc;
    const clamp = (offset: number) => Math.min(Math.max(0, offset), length);
    this.#view.dispatch(
      setDiagnostics(
        this.#view.state,
        diagnostics.map(({ from, to, severity, message, source, fixes = [] }) => ({
          from: clamp(from),
          to: clamp(Math.max(from, to)),
          severity,
          message,
          ...(source === undefined ? {} : { source }),
          actions: fixes.map(({ id, label }) => ({
            name: label,
            apply: () => this.#listeners.onFix?.(id),
          })),
        })),
      ),
    );
  }

  setGutter(marks: readonly Mark[]): void {
    this.#view.dispatch({ effects: setMarks.of(marks) });
  }

  setLineNotes(notes: readonly LineNote[]): void {
    this.#view.dispatch({ effects: setNotes.of(notes) });
  }

  setSelectionLines(lines: readonly number[]): void {
    this.#view.dispatch({ effects: setSelected.of(lines) });
  }

  setInstructions(instructions: readonly Instruction[]): void {
    this.#view.dispatch({ effects: setInstructions.of(instructions) });
    this.#keyMoves.next(this.#view);
  }

  setReadOnly(readOnly: boolean): void {
    this.#view.dispatch({ effects: this.#readOnly.reconfigure(EditorState.readOnly.of(readOnly)) });
  }

  goTo(line: number): void {
    const { doc } = this.#view.state;
    this.#view.dispatch({ selection: { anchor: doc.line(clampLine(doc, line)).from }, scrollIntoView: true });
    this.#view.focus();
  }

  focus(): void {
    this.#view.focus();
  }

  destroy(): void {
    this.#view.destroy();
  }
}

/** Refuses an edit of the user's that makes the text too long. */
function limit({ limit = Infinity, onRefused }: Options): Extension {
  return EditorState.changeFilter.of((transaction) => {
    const { newLength } = transaction.changes;
    const fits =
      newLength <= limit ||
      newLength <= transaction.startState.doc.length ||
      transaction.annotation(external) === true;
    if (!fits) {
      onRefused?.(newLength);
    }
    return fits;
  });
}

export const create: EditorModule["create"] = (parent, options) => new CodeMirror(parent, options);
