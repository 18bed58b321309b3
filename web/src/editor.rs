//! The text editor: CodeMirror, as the start module gives it to the page.

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

#[wasm_bindgen]
extern "C" {
    /// An editor on the page.
    #[derive(Clone)]
    pub type Editor;

    #[wasm_bindgen(js_namespace = layerwiseEditor, js_name = create)]
    fn create_editor(parent: &HtmlElement, options: &Object) -> Editor;

    /// Replaces the text, without reporting it as a change.
    #[wasm_bindgen(method, js_name = setText)]
    pub fn set_text(this: &Editor, text: &str);

    #[wasm_bindgen(method, js_name = setDiagnostics)]
    fn set_diagnostics_js(this: &Editor, diagnostics: &Array);

    #[wasm_bindgen(method, js_name = setGutter)]
    fn set_gutter_js(this: &Editor, marks: &Array);

    #[wasm_bindgen(method, js_name = setLineNotes)]
    fn set_line_notes_js(this: &Editor, notes: &Array);

    #[wasm_bindgen(method, js_name = setSelectionLines)]
    fn set_selection_lines_js(this: &Editor, lines: &Array);

    #[wasm_bindgen(method, js_name = setInstructions)]
    fn set_instructions_js(this: &Editor, instructions: &Array);

    /// Whether the text can only be read.
    #[wasm_bindgen(method, js_name = setReadOnly)]
    pub fn set_read_only(this: &Editor, read_only: bool);

    /// Puts the cursor at the start of a line, and the focus on the editor.
    #[wasm_bindgen(method, js_name = goTo)]
    pub fn go_to(this: &Editor, line: u32);

    /// Removes the editor from the page.
    #[wasm_bindgen(method)]
    pub fn destroy(this: &Editor);
}

/// What the editor tells.
pub struct Listeners {
    /// The user changed the text.
    pub change: Closure<dyn FnMut(String)>,
    /// The cursor is at an offset, on a line.
    pub cursor: Closure<dyn FnMut(u32, u32)>,
    /// An instruction is to become the one with another number.
    pub moved: Closure<dyn FnMut(usize, usize)>,
    /// Build.
    pub build: Closure<dyn FnMut()>,
    /// Undo.
    pub undo: Closure<dyn FnMut()>,
    /// Redo.
    pub redo: Closure<dyn FnMut()>,
    /// A fix was chosen.
    pub fix: Closure<dyn FnMut(String)>,
    /// A mark was clicked, on a line.
    pub mark: Closure<dyn FnMut(u32)>,
    /// An edit was refused: the text would have had so many UTF-16 units.
    pub refused: Closure<dyn FnMut(u32)>,
}

/// What an editor begins with.
pub struct Options<'a> {
    /// What assistive technology calls it.
    pub label: &'a str,
    /// The text.
    pub text: &'a str,
    /// Whether it is a Dockerfile.
    pub dockerfile: bool,
    /// Whether it can only be read.
    pub read_only: bool,
    /// The most UTF-16 units that the text may have.
    pub limit: u32,
}

/// Puts an editor into an element.
pub fn create(parent: &HtmlElement, options: &Options<'_>, listeners: &Listeners) -> Editor {
    let language = if options.dockerfile {
        "dockerfile"
    } else {
        "text"
    };
    create_editor(
        parent,
        &object(&[
            ("label", options.label.into()),
            ("text", options.text.into()),
            ("language", language.into()),
            ("readOnly", options.read_only.into()),
            ("limit", options.limit.into()),
            ("onChange", listeners.change.as_ref().clone()),
            ("onCursor", listeners.cursor.as_ref().clone()),
            ("onMove", listeners.moved.as_ref().clone()),
            ("onBuild", listeners.build.as_ref().clone()),
            ("onUndo", listeners.undo.as_ref().clone()),
            ("onRedo", listeners.redo.as_ref().clone()),
            ("onFix", listeners.fix.as_ref().clone()),
            ("onMark", listeners.mark.as_ref().clone()),
            ("onRefused", listeners.refused.as_ref().clone()),
        ]),
    )
}

/// A mark of the status gutter.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// The line.
    pub line: u32,
    /// The status's name in the editor.
    pub status: &'static str,
    /// The words for it.
    pub text: String,
}

/// A note at the right end of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// The line.
    pub line: u32,
    /// What it says.
    pub text: String,
    /// Whether it is set off.
    pub strong: bool,
}

/// An instruction as it moves.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// What it is called.
    pub label: String,
    /// The line of the keyword.
    pub line: u32,
    /// First and last line of what moves.
    pub block: [u32; 2],
    /// Whether it can move up, and down.
    pub can_move: [bool; 2],
}

/// A diagnostic.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// First UTF-16 unit.
    pub from: u32,
    /// The unit behind the last.
    pub to: u32,
    /// The severity's name in the editor.
    pub severity: &'static str,
    /// What is the matter.
    pub message: String,
    /// The rule.
    pub source: Option<String>,
    /// Id and label of what would help.
    pub fixes: Vec<(String, String)>,
}

impl Editor {
    /// Shows the marks of the status gutter.
    pub fn set_gutter(&self, marks: &[Mark]) {
        self.set_gutter_js(&array(marks, |mark| {
            object(&[
                ("line", mark.line.into()),
                ("status", mark.status.into()),
                ("text", mark.text.as_str().into()),
            ])
        }));
    }

    /// Shows notes at the right ends of lines.
    pub fn set_notes(&self, notes: &[Note]) {
        self.set_line_notes_js(&array(notes, |note| {
            let tone = if note.strong { "strong" } else { "quiet" };
            object(&[
                ("line", note.line.into()),
                ("text", note.text.as_str().into()),
                ("tone", tone.into()),
            ])
        }));
    }

    /// Marks lines as part of what is chosen.
    pub fn set_lines(&self, lines: Option<[u32; 2]>) {
        let numbers = lines.into_iter().flat_map(|[first, last]| first..=last);
        self.set_selection_lines_js(&numbers.map(JsValue::from).collect());
    }

    /// Tells which instructions can be moved.
    pub fn set_blocks(&self, blocks: &[Block]) {
        self.set_instructions_js(&array(blocks, |block| {
            object(&[
                ("label", block.label.as_str().into()),
                ("line", block.line.into()),
                ("block", pair(block.block)),
                ("canMove", pair(block.can_move)),
            ])
        }));
    }

    /// Shows diagnostics.
    pub fn set_diagnostics(&self, diagnostics: &[Diagnostic]) {
        self.set_diagnostics_js(&array(diagnostics, |diagnostic| {
            let fixes = array(&diagnostic.fixes, |(id, label)| {
                object(&[("id", id.as_str().into()), ("label", label.as_str().into())])
            });
            let result = object(&[
                ("from", diagnostic.from.into()),
                ("to", diagnostic.to.into()),
                ("severity", diagnostic.severity.into()),
                ("message", diagnostic.message.as_str().into()),
                ("fixes", fixes.into()),
            ]);
            if let Some(source) = &diagnostic.source {
                set(&result, "source", &source.as_str().into());
            }
            result
        }));
    }
}

fn pair<T: Into<JsValue>>([first, second]: [T; 2]) -> JsValue {
    Array::of2(&first.into(), &second.into()).into()
}

fn array<T>(items: &[T], of: impl Fn(&T) -> Object) -> Array {
    items.iter().map(|item| JsValue::from(of(item))).collect()
}

fn object(fields: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        set(&object, name, value);
    }
    object
}

fn set(object: &Object, name: &str, value: &JsValue) {
    // A plain object takes any property.
    let _ = Reflect::set(object, &name.into(), value);
}
