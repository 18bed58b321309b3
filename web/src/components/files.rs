//! The build context: its files, and what can be done with them.

use layerwise::view::{Edit, NodeKind, Row, TreeRef};
use web_sys::{DragEvent, HtmlInputElement, KeyboardEvent};
use yew::prelude::*;

use super::icon::{Icon, IconButton, icon};
use super::menu::{Item, Menu};
use super::prompt::{Prompt, Question};
use super::tree::Tree;
use crate::store::{Store, use_app};
use crate::{dom, format};

/// The pane.
#[component]
pub fn FilesPane() -> Html {
    let app = use_app();
    let store = &app.store;
    let picked_path = use_state(|| None::<String>);
    let question = use_state(|| None::<Question>);
    let dropping = use_state(|| false);
    let (file_input, folder_input) = (use_node_ref(), use_node_ref());
    let Some(state) = app.model.state.clone() else {
        return html! {};
    };

    // The row as it is now: what is chosen may have been changed since.
    let picked = picked_path.as_ref().and_then(|path| {
        let dir = format::parent(path).to_owned();
        let rows = app.model.branches.get(&(TreeRef::Context, dir))?;
        rows.iter().find(|row| row.path == *path).cloned()
    });

    // New things go where the chosen row is.
    let directory = picked.as_ref().map_or_else(String::new, |row| {
        if row.node == NodeKind::Dir {
            row.path.clone()
        } else {
            format::parent(&row.path).to_owned()
        }
    });
    let ask = {
        let question = question.clone();
        Callback::from(move |asked| question.set(Some(asked)))
    };
    let new_items = new_items(store, &ask, &directory);
    let upload_items = {
        let click = |input: &NodeRef| {
            let input = input.clone();
            Callback::from(move |()| {
                if let Some(input) = input.cast::<HtmlInputElement>() {
                    input.click();
                }
            })
        };
        vec![
            Item::new("Files", click(&file_input)),
            Item::new("A folder", click(&folder_input)),
        ]
    };
    let on_files = {
        let (store, directory) = (store.clone(), directory.clone());
        Callback::from(move |event: Event| {
            let input: HtmlInputElement = event.target_unchecked_into();
            if let Some(files) = input.files() {
                let (store, directory) = (store.clone(), directory.clone());
                wasm_bindgen_futures::spawn_local(async move {
                    store.upload(dom::chosen_files(files, directory).await);
                    // So that the same file can be chosen again.
                    input.set_value("");
                });
            }
        })
    };
    let ondragover = {
        let dropping = dropping.clone();
        move |event: DragEvent| {
            event.prevent_default();
            dropping.set(true);
        }
    };
    let ondragleave = {
        let dropping = dropping.clone();
        move |_: DragEvent| dropping.set(false)
    };
    let ondrop = {
        let (store, dropping, directory) = (store.clone(), dropping.clone(), directory.clone());
        move |event: DragEvent| {
            event.prevent_default();
            dropping.set(false);
            if let Some(data) = event.data_transfer() {
                let entries = dom::dropped_entries(&data);
                let (store, directory) = (store.clone(), directory.clone());
                wasm_bindgen_futures::spawn_local(async move {
                    store.upload(dom::dropped_files(entries, directory).await);
                });
            }
        }
    };

    let on_pick = {
        let picked = picked_path.clone();
        Callback::from(move |row: Row| picked.set(Some(row.path)))
    };
    let on_open = {
        let store = store.clone();
        Callback::from(move |row: Row| {
            if row.node == NodeKind::File {
                store.open(row.path);
            }
        })
    };
    let on_key = {
        let (store, ask) = (store.clone(), ask.clone());
        Callback::from(
            move |(row, event): (Row, KeyboardEvent)| match event.key().as_str() {
                "F2" => {
                    event.prevent_default();
                    ask.emit(rename(&store, &row));
                }
                "Delete" => {
                    event.prevent_default();
                    store.edit(Edit::Delete { path: row.path });
                }
                _ => {}
            },
        )
    };
    let class = Callback::from(|row: Row| {
        classes!(
            row.ignored.is_some().then_some("is-ignored"),
            row.edited.then_some("is-edited"),
        )
    });
    let summary = &state.context;
    let close_question = {
        let question = question.clone();
        move |()| question.set(None)
    };
    html! {
        <section
            class={classes!("pane", "files", dropping.then_some("is-dropping"))}
            aria-label="Files"
            {ondragover}
            {ondragleave}
            {ondrop}
        >
            <div class="head">
                <h2>{ "Files" }</h2>
                <span class="grow" />
                <span class="head-note">
                    { format!("{} sent · {}", summary.sent, format::bytes(summary.sent_bytes)) }
                </span>
            </div>
            <Tree
                tree={TreeRef::Context}
                id="context"
                label="Files of the build context"
                picked={(*picked_path).clone()}
                {on_pick}
                {on_open}
                {on_key}
                {class}
                trail={Callback::from(|row: Row| trail(&row))}
                empty="No files yet. Make one, or drop files here."
            />
            <span class="grow" />
            if let Some(row) = picked {
                { actions(store, &row, &ask) }
            }
            <div class="files-bar">
                <Menu class="button" items={new_items} button={html! { <>{ icon(Icon::Plus) }{ "New" }</> }} chevron=false />
                <Menu class="button" items={upload_items} button={html! { <>{ icon(Icon::Upload) }{ "Upload" }</> }} chevron=false />
                <input ref={file_input} class="unseen" type="file" multiple=true tabindex="-1" aria-label="Files to upload" onchange={on_files.clone()} />
                <input ref={folder_input} class="unseen" type="file" webkitdirectory=true tabindex="-1" aria-label="A folder to upload" onchange={on_files} />
            </div>
            if let Some(question) = &*question {
                <Prompt question={question.clone()} on_close={close_question} />
            }
        </section>
    }
}

/// What stands at the right end of a row.
fn trail(row: &Row) -> Html {
    if let Some(ignored) = &row.ignored {
        let title = format!(
            "Not sent: {} line {}, {}",
            ignored.file, ignored.line, ignored.pattern
        );
        // A pattern that is the name itself is not said twice.
        let words = if ignored.pattern.trim_end_matches('/') == row.name {
            format!("line {}", ignored.line)
        } else {
            format!("{} · line {}", ignored.pattern, ignored.line)
        };
        return html! { <span class="by" {title}>{ words }</span> };
    }
    let is_program = row.node == NodeKind::File && row.mode & 0o111 != 0;
    html! {
        <>
            if is_program { <span title="It can be executed">{ "+x" }</span> }
            if row.edited { <b>{ "edited" }</b> }
        </>
    }
}

fn inside(directory: &str) -> String {
    if directory.is_empty() {
        String::new()
    } else {
        format!("{directory}/")
    }
}

/// What can be made.
fn new_items(store: &Store, ask: &Callback<Question>, directory: &str) -> Vec<Item> {
    let item = |label: &'static str, question: Question| {
        let ask = ask.clone();
        Item::new(label, Callback::from(move |()| ask.emit(question.clone())))
    };
    let path = AttrValue::from(inside(directory));
    let question = |title: &'static str, on_answer: Callback<Vec<String>>| Question {
        title: title.into(),
        fields: vec![("Path".into(), path.clone())],
        action: "Make it".into(),
        on_answer,
    };
    let file = {
        let store = store.clone();
        Callback::from(move |mut answers: Vec<String>| {
            let path = answers.swap_remove(0);
            store.edit(Edit::Write {
                path: path.clone(),
                bytes: Vec::new(),
                mode: None,
            });
            store.open_new(path);
        })
    };
    let folder = {
        let store = store.clone();
        Callback::from(move |mut answers: Vec<String>| {
            store.edit(Edit::Mkdir {
                path: answers.swap_remove(0),
            });
        })
    };
    let link = {
        let store = store.clone();
        Callback::from(move |mut answers: Vec<String>| {
            let target = answers.swap_remove(1);
            let path = answers.swap_remove(0);
            store.edit(Edit::Symlink { path, target });
        })
    };
    let mut link = question("New symbolic link", link);
    link.fields.push(("It points to".into(), "".into()));
    vec![
        item("File", question("New file", file)),
        item("Folder", question("New folder", folder)),
        item("Symbolic link", link),
    ]
}

fn rename(store: &Store, row: &Row) -> Question {
    let (store, from) = (store.clone(), row.path.clone());
    Question {
        title: format!("Rename {}", row.path).into(),
        fields: vec![("New path".into(), row.path.clone().into())],
        action: "Rename".into(),
        on_answer: Callback::from(move |mut answers: Vec<String>| {
            let to = answers.swap_remove(0);
            if to != from {
                store.edit(Edit::Rename {
                    from: from.clone(),
                    to,
                });
            }
        }),
    }
}

/// What can be done with the chosen row.
fn actions(store: &Store, row: &Row, ask: &Callback<Question>) -> Html {
    let name = &row.name;
    let is_program = row.mode & 0o111 != 0;
    let program = if is_program {
        format!("Make {name} not executable")
    } else {
        format!("Make {name} executable")
    };
    let edit = |edit: Edit| {
        let store = store.clone();
        Callback::from(move |()| store.edit(edit.clone()))
    };
    let chmod = edit(Edit::Chmod {
        path: row.path.clone(),
        mode: if is_program {
            row.mode & !0o111
        } else {
            row.mode | 0o111
        },
    });
    let touch = edit(Edit::Touch {
        path: row.path.clone(),
    });
    let delete = edit(Edit::Delete {
        path: row.path.clone(),
    });
    let on_rename = {
        let (store, ask, row) = (store.clone(), ask.clone(), row.clone());
        Callback::from(move |()| ask.emit(rename(&store, &row)))
    };
    html! {
        <div class="file-actions" role="group" aria-label={format!("Actions on {}", row.path)}>
            <span class="file-name" title={format!("{} {}", format::mode(row.mode), row.path)}>{ name.clone() }</span>
            { IconButton::new(Icon::Pencil, format!("Rename {name}"), on_rename).show() }
            if row.node == NodeKind::File {
                { IconButton::new(Icon::Program, program, chmod).show() }
            }
            { IconButton::new(Icon::Clock, format!("Touch {name}: set its time to now"), touch).show() }
            { IconButton::new(Icon::Bin, format!("Delete {name}"), delete).show() }
        </div>
    }
}
