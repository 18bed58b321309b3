//! The editor as a component: it is made once, and told of what has changed.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;
use yew::prelude::*;

use crate::editor::{self, Block, Diagnostic, Editor, Listeners, Mark, Note};
use crate::format;
use crate::store::{Notice, Store, use_store};

/// The longest text that the editor takes, in UTF-16 units.
pub const LIMIT: u32 = 1 << 20;

/// An editor.
#[derive(Properties, PartialEq)]
pub struct CodeProps {
    /// What assistive technology calls it.
    pub label: AttrValue,
    /// The text.
    pub text: AttrValue,
    /// Whether it is a Dockerfile.
    #[prop_or_default]
    pub dockerfile: bool,
    /// Marks of the gutter.
    #[prop_or_default]
    pub marks: Vec<Mark>,
    /// Notes at the lines.
    #[prop_or_default]
    pub notes: Vec<Note>,
    /// Instructions.
    #[prop_or_default]
    pub blocks: Vec<Block>,
    /// Diagnostics.
    #[prop_or_default]
    pub diagnostics: Vec<Diagnostic>,
    /// Lines of what is chosen.
    #[prop_or_default]
    pub lines: Option<[u32; 2]>,
    /// The line to go to; the number counts the requests.
    #[prop_or_default]
    pub go_to: Option<(u32, u32)>,
    /// The text was changed by the user.
    pub on_change: Callback<String>,
    /// The cursor is on another line.
    #[prop_or_default]
    pub on_line: Callback<u32>,
    /// A fix was chosen.
    #[prop_or_default]
    pub on_fix: Callback<String>,
}

/// See the module.
#[component]
pub fn Code(props: &CodeProps) -> Html {
    let store = use_store();
    let parent = use_node_ref();
    let editor = use_mut_ref(|| None::<Editor>);
    // The listeners outlive a rendering: they call what is in here.
    let latest = use_mut_ref(|| Calls::of(props));
    *latest.borrow_mut() = Calls::of(props);

    use_effect_with((), {
        let (parent, editor, latest) = (parent.clone(), editor.clone(), latest.clone());
        let (label, text, dockerfile) = (props.label.clone(), props.text.clone(), props.dockerfile);
        move |()| {
            let listeners = listeners(&latest, &store);
            if let Some(parent) = parent.cast::<HtmlElement>() {
                let options = editor::Options {
                    label: &label,
                    text: &text,
                    dockerfile,
                    read_only: false,
                    limit: LIMIT,
                };
                *editor.borrow_mut() = Some(editor::create(&parent, &options, &listeners));
            }
            move || {
                if let Some(editor) = editor.borrow_mut().take() {
                    editor.destroy();
                }
                drop(listeners);
            }
        }
    });

    // The text first: everything else speaks of it, and is told again with it.
    let text = &props.text;
    use_told(&editor, text.clone(), |editor, text| editor.set_text(text));
    use_told(
        &editor,
        (text.clone(), props.blocks.clone()),
        |editor, (_, blocks)| editor.set_blocks(blocks),
    );
    use_told(
        &editor,
        (text.clone(), props.marks.clone()),
        |editor, (_, marks)| editor.set_gutter(marks),
    );
    use_told(
        &editor,
        (text.clone(), props.notes.clone()),
        |editor, (_, notes)| editor.set_notes(notes),
    );
    use_told(
        &editor,
        (text.clone(), props.diagnostics.clone()),
        |editor, (_, diagnostics)| editor.set_diagnostics(diagnostics),
    );
    use_told(
        &editor,
        (text.clone(), props.lines),
        |editor, (_, lines)| editor.set_lines(*lines),
    );
    use_told(&editor, props.go_to, |editor, to| {
        if let Some((line, _)) = to {
            editor.go_to(*line);
        }
    });

    html! { <div class="code" ref={parent} /> }
}

/// Tells the editor of a value whenever it is another one.
#[hook]
fn use_told<T: PartialEq + 'static>(
    editor: &Rc<RefCell<Option<Editor>>>,
    value: T,
    tell: impl FnOnce(&Editor, &T) + 'static,
) {
    let editor = editor.clone();
    use_effect_with(value, move |value| {
        if let Some(editor) = &*editor.borrow() {
            tell(editor, value);
        }
    });
}

/// What the listeners call.
struct Calls {
    change: Callback<String>,
    line: Callback<u32>,
    fix: Callback<String>,
}

impl Calls {
    fn of(props: &CodeProps) -> Self {
        Self {
            change: props.on_change.clone(),
            line: props.on_line.clone(),
            fix: props.on_fix.clone(),
        }
    }
}

type Latest = Rc<RefCell<Calls>>;

fn listeners(latest: &Latest, store: &Store) -> Listeners {
    let calls = || latest.clone();
    let act = |act: fn(&Store)| {
        let store = store.clone();
        Closure::<dyn FnMut()>::new(move || act(&store))
    };
    let on_line = |calls: Latest, line: u32| {
        let callback = calls.borrow().line.clone();
        callback.emit(line);
    };
    Listeners {
        change: Closure::new({
            let calls = calls();
            move |text| {
                let callback = calls.borrow().change.clone();
                callback.emit(text);
            }
        }),
        cursor: Closure::new({
            let calls = calls();
            move |_, line| on_line(calls.clone(), line)
        }),
        moved: Closure::new({
            let store = store.clone();
            move |from, to| store.move_instruction(from, to)
        }),
        build: act(Store::build),
        undo: act(Store::undo),
        redo: act(Store::redo),
        fix: Closure::new({
            let calls = calls();
            move |id| {
                let callback = calls.borrow().fix.clone();
                callback.emit(id);
            }
        }),
        mark: Closure::new({
            let calls = calls();
            move |line| on_line(calls.clone(), line)
        }),
        refused: Closure::new({
            let store = store.clone();
            move |length: u32| {
                store.tell(Notice {
                    bad: true,
                    message: format!(
                        "The text would have {}; the editor takes {}.",
                        format::bytes(length.into()),
                        format::bytes(LIMIT.into())
                    ),
                    help: Some("Nothing was changed. Paste less, or upload it as a file.".into()),
                });
            }
        }),
    }
}
