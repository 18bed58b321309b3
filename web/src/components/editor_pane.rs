//! The middle of the page: the Dockerfile and the files that are open, and the verdict below.

use layerwise::view::{
    DiagnosticView, InstructionView, PredictedInstruction, PredictedStatus, SeverityView, State,
    StepStatus, TreeRef,
};
use yew::prelude::*;

use super::code::Code;
use super::icon::{Icon, IconButton};
use super::verdict::verdict_bar;
use crate::editor::{Block, Diagnostic, Mark, Note};
use crate::format;
use crate::store::{Chosen, Handle};

/// The pane.
pub fn editor_pane(app: &Handle) -> Html {
    let model = &app.model;
    html! {
        <section class="pane editor" aria-label="Dockerfile">
            { tabs(app) }
            if let Some(path) = &model.tab {
                { file_tab(app, path) }
            } else {
                { dockerfile_tab(app) }
            }
            { verdict_bar(app) }
        </section>
    }
}

/// The Dockerfile and the open files; the buttons that move what is chosen.
fn tabs(app: &Handle) -> Html {
    let (model, store) = (&app.model, &app.store);
    let tabs = model.tabs.iter().map(|path| {
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        let show = {
            let (store, path) = (store.clone(), path.clone());
            move |_| store.tab(Some(path.clone()))
        };
        let close = {
            let (store, path) = (store.clone(), path.clone());
            move |()| store.close(path.clone())
        };
        html! {
            <span class="tab-with-close" key={path.clone()}>
                <button
                    type="button"
                    class="tab"
                    title={path.clone()}
                    aria-current={(model.tab.as_ref() == Some(path)).then_some("true")}
                    onclick={show}
                >
                    { name.clone() }
                </button>
                { IconButton::new(Icon::Cross, format!("Close {name}"), close).show() }
            </span>
        }
    });
    html! {
        <div class="head editor-head">
            <h2>
                <button
                    type="button"
                    class="tab"
                    aria-current={model.tab.is_none().then_some("true")}
                    onclick={let store = store.clone(); move |_| store.tab(None)}
                >
                    { "Dockerfile" }
                </button>
            </h2>
            { for tabs }
            <span class="grow" />
            if model.tab.is_none() {
                { move_buttons(app) }
            }
        </div>
    }
}

/// Moves the chosen instruction without a drag.
fn move_buttons(app: &Handle) -> Html {
    let chosen = app.model.instruction();
    let instruction = app
        .model
        .state
        .as_ref()
        .zip(chosen)
        .and_then(|(state, index)| state.instructions.get(index));
    let can_move = instruction.map_or([false, false], |instruction| instruction.can_move);
    let name = instruction.map_or_else(
        || "the chosen instruction".to_owned(),
        |instruction| brief(instruction).to_owned(),
    );
    let go = |distance: isize| {
        let store = app.store.clone();
        Callback::from(move |()| {
            if let Some((from, to)) =
                chosen.and_then(|from| Some((from, from.checked_add_signed(distance)?)))
            {
                store.move_instruction(from, to);
            }
        })
    };
    let up = IconButton::new(Icon::Up, format!("Move {name} up"), go(-1));
    let down = IconButton::new(Icon::Down, format!("Move {name} down"), go(1));
    html! {
        <div class="move-buttons" role="group" aria-label="Order">
            <span class="head-note wide-only">{ if chosen.is_some() { "move" } else { "the gutter shows the next build" } }</span>
            { up.enabled(can_move[0]).keys("Alt+ArrowUp").show() }
            { down.enabled(can_move[1]).keys("Alt+ArrowDown").show() }
        </div>
    }
}

/// The first words of an instruction.
fn brief(instruction: &InstructionView) -> &str {
    let text = &instruction.text;
    match text.char_indices().nth(40) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// The Dockerfile.
fn dockerfile_tab(app: &Handle) -> Html {
    let (model, store) = (&app.model, &app.store);
    let Some(state) = model.state.clone() else {
        return html! {};
    };
    // Marks are of the engine's text: while it lags behind, they stay where the editor has them.
    let lines = model
        .instruction()
        .and_then(|index| state.instructions.get(index))
        .map(|instruction| instruction.lines);
    let on_line = {
        let (store, state, chosen) = (store.clone(), state.clone(), model.instruction());
        Callback::from(move |line: u32| {
            let at = state
                .instructions
                .iter()
                .position(|each| (each.block[0]..=each.block[1]).contains(&line));
            if let Some(at) = at.filter(|at| Some(*at) != chosen) {
                store.choose(Chosen::Instruction(at));
            }
        })
    };
    let on_fix = {
        let (store, state) = (store.clone(), state.clone());
        Callback::from(move |id: String| {
            if let Some(text) = fixed(&state, &id) {
                store.type_dockerfile(text);
            }
        })
    };
    html! {
        <Code
            key="Dockerfile"
            label="Dockerfile"
            text={model.dockerfile().to_owned()}
            dockerfile=true
            marks={marks(&state)}
            notes={notes(&state)}
            blocks={blocks(&state)}
            diagnostics={diagnostics(&state.diagnostics)}
            {lines}
            go_to={model.go_to}
            on_change={let store = store.clone(); move |text| store.type_dockerfile(text)}
            {on_line}
            {on_fix}
        />
    }
}

/// The text with a fix applied, by its id: the diagnostic's number and the fix's.
pub fn fixed(state: &State, id: &str) -> Option<String> {
    let (diagnostic, fix) = id.split_once('.')?;
    let diagnostic = state.diagnostics.get(diagnostic.parse::<usize>().ok()?)?;
    let fix = diagnostic.fixes.get(fix.parse::<usize>().ok()?)?;
    Some(format::splice(
        &state.dockerfile,
        fix.from,
        fix.to,
        &fix.insert,
    ))
}

fn predicted(state: &State) -> impl Iterator<Item = (&InstructionView, &PredictedInstruction)> {
    state
        .instructions
        .iter()
        .zip(&state.prediction.instructions)
}

/// The marks of the gutter.
fn marks(state: &State) -> Vec<Mark> {
    // What failed in the last build is marked as long as nothing there has changed.
    let failed = state
        .build
        .as_ref()
        .filter(|build| build.current)
        .and_then(|build| {
            let step = build
                .steps
                .iter()
                .find(|step| step.status == StepStatus::Failed)?;
            step.instruction
        });
    predicted(state)
        .enumerate()
        .map(|(index, (instruction, predicted))| {
            let (status, word) = match predicted.status {
                PredictedStatus::Miss if failed == Some(index) => ("failed", "failed"),
                PredictedStatus::Hit => ("hit", "cached"),
                PredictedStatus::Miss => ("miss", "will run"),
                PredictedStatus::Depends => ("depends", "depends on another stage"),
                PredictedStatus::Config => ("config", "config only"),
                PredictedStatus::Skipped => ("skipped", "not built"),
                PredictedStatus::Unknown => ("unknown", "not known yet"),
            };
            let text = if predicted.note.is_empty() || predicted.note == word {
                word.to_owned()
            } else {
                format!("{word}: {}", predicted.note)
            };
            Mark {
                line: instruction.lines[0],
                status,
                text,
            }
        })
        .collect()
}

/// The notes at the right ends of the lines.
fn notes(state: &State) -> Vec<Note> {
    predicted(state)
        .filter_map(|(instruction, predicted)| {
            let (text, strong) = match predicted.status {
                PredictedStatus::Hit => ("cached".to_owned(), false),
                PredictedStatus::Config => ("config only".to_owned(), false),
                PredictedStatus::Skipped => ("not built".to_owned(), false),
                PredictedStatus::Unknown => return None,
                PredictedStatus::Miss | PredictedStatus::Depends => {
                    let seconds = predicted
                        .seconds
                        .filter(|seconds| *seconds >= 0.05)
                        .map(format::seconds);
                    let parts = [Some(predicted.note.clone()), seconds];
                    let parts: Vec<_> = parts
                        .into_iter()
                        .flatten()
                        .filter(|part| !part.is_empty())
                        .collect();
                    (parts.join(" · "), true)
                }
            };
            (!text.is_empty()).then_some(Note {
                line: instruction.lines[0],
                text,
                strong,
            })
        })
        .collect()
}

fn blocks(state: &State) -> Vec<Block> {
    state
        .instructions
        .iter()
        .map(|instruction| Block {
            label: brief(instruction).to_owned(),
            line: instruction.lines[0],
            block: instruction.block,
            can_move: instruction.can_move,
        })
        .collect()
}

fn diagnostics(diagnostics: &[DiagnosticView]) -> Vec<Diagnostic> {
    diagnostics
        .iter()
        .enumerate()
        .map(|(number, diagnostic)| Diagnostic {
            from: diagnostic.from,
            to: diagnostic.to,
            severity: match diagnostic.severity {
                SeverityView::Error => "error",
                SeverityView::Warning => "warning",
                SeverityView::Info => "info",
            },
            message: match &diagnostic.help {
                Some(help) => format!("{}\n{help}", diagnostic.message),
                None => diagnostic.message.clone(),
            },
            source: diagnostic.rule.clone(),
            fixes: diagnostic
                .fixes
                .iter()
                .enumerate()
                .map(|(fix, view)| (format!("{number}.{fix}"), view.title.clone()))
                .collect(),
        })
        .collect()
}

/// A file of the context.
fn file_tab(app: &Handle, path: &String) -> Html {
    let typed = app.model.typed_files.get(path).map(|text| text.to_string());
    let file = app.model.files.get(&(TreeRef::Context, path.clone()));
    let text = typed.or_else(|| file.and_then(|file| file.text.clone()));
    let on_change = {
        let (store, path) = (app.store.clone(), path.clone());
        move |text| store.type_file(path.clone(), text)
    };
    match (text, file) {
        (Some(text), _) => {
            html! { <Code key={format!("file {path}")} label={path.clone()} {text} {on_change} /> }
        }
        (None, Some(file)) => html! {
            <div class="code-instead">
                <p>{ format!("{path} is not text, or too long to edit here: {}.", format::size(file.row.size, file.row.modelled)) }</p>
                if let Some(sha256) = &file.sha256 {
                    <p class="mono">{ format!("sha256:{sha256}") }</p>
                }
                <p>{ "Upload another file under this path to replace it." }</p>
            </div>
        },
        (None, None) => html! { <div class="code-instead"><p>{ "Loading" }</p></div> },
    }
}
