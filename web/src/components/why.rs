//! Why a step hits or misses: the parts of its cache key, beside those of the nearest earlier build.

use layerwise::view::{CommandView, Fidelity, LogLine, StepView, WhyView};
use yew::prelude::*;

use crate::format;
use crate::store::{Chosen, Handle};

/// The explanation of what is chosen, or else of the first miss.
pub fn why(app: &Handle) -> Html {
    let model = &app.model;
    let Some(state) = model.state.clone() else {
        return html! {};
    };
    let Some(build) = &state.build else {
        return html! {};
    };
    let first_miss = state
        .prediction
        .first_miss
        .as_ref()
        .map(|miss| Chosen::Instruction(miss.instruction));
    let chosen = model.chosen.or(first_miss);
    let instruction = chosen.and_then(|chosen| model.links.instruction(chosen));
    let step = chosen
        .and_then(|chosen| model.links.step(chosen))
        .and_then(|index| build.steps.get(index));
    // What the next build does comes first, where something has changed since the last.
    let next = instruction
        .and_then(|index| state.prediction.instructions.get(index))
        .and_then(|predicted| predicted.why.as_ref())
        .filter(|_| !build.current || !state.context.changed.is_empty());
    let (Some(_), true) = (chosen, next.is_some() || step.is_some()) else {
        return html! {
            <p class="empty">
                if instruction.is_some() {
                    { "This instruction makes no step: it changes the configuration only, or was not built." }
                } else {
                    { "Choose a step, a line or a layer to see why it was cached or ran." }
                }
            </p>
        };
    };
    html! {
        <>
            if let Some(why) = next {
                <h3>{ "In the next build: " }{ why.headline.clone() }</h3>
                { key_parts(why) }
            }
            if let Some(step) = step {
                if next.is_none() {
                    <h3>{ headline(step, build.summary.number) }</h3>
                    { key_parts(&step.why) }
                } else {
                    <h3>{ format!("In build {}: {}", build.summary.number, step.why.headline) }</h3>
                }
                if !step.commands.is_empty() {
                    <h3>{ "Commands" }</h3>
                    <ul class="commands">{ for step.commands.iter().map(command) }</ul>
                }
                if !step.log.is_empty() {
                    <h3>{ "Log" }</h3>
                    <pre class="log">{ for step.log.iter().map(log_line) }</pre>
                }
            }
        </>
    }
}

fn headline(step: &StepView, build: u32) -> String {
    if step.why.headline.is_empty() {
        format!("{} in build {build}", step.name)
    } else {
        step.why.headline.clone()
    }
}

/// The parts of the key.
fn key_parts(why: &WhyView) -> Html {
    html! {
        <dl class="frames">
            { for why.frames.iter().map(|frame| html! {
                <div class={classes!("frame", frame.before.is_some().then_some("is-other"))}>
                    <dt>{ frame.name.clone() }</dt>
                    <dd>
                        if let Some(before) = &frame.before {
                            <del>{ before.clone() }</del>{ " → " }<ins>{ frame.value.clone() }</ins>
                        } else {
                            { frame.value.clone() }<span class="same">{ "same" }</span>
                        }
                    </dd>
                </div>
            }) }
            { for why.files.iter().map(|file| html! {
                <div class="frame is-other">
                    <dt title={file.path.clone()}>{ file.path.clone() }</dt>
                    <dd>
                        { match (&file.before, &file.after) {
                            (Some(before), Some(after)) => html! {
                                <><del>{ format::short(before).to_owned() }</del>{ " → " }<ins>{ format::short(after).to_owned() }</ins></>
                            },
                            (None, Some(after)) => html! { <>{ "new " }<ins>{ format::short(after).to_owned() }</ins></> },
                            (Some(before), None) => html! { <>{ "gone " }<del>{ format::short(before).to_owned() }</del></> },
                            (None, None) => html! {},
                        } }
                    </dd>
                </div>
            }) }
            if !why.not_in_key.is_empty() {
                <div class="frame">
                    <dt>{ "not in the key" }</dt>
                    <dd>{ why.not_in_key.join(", ") }</dd>
                </div>
            }
        </dl>
    }
}

fn command(command: &CommandView) -> Html {
    let (word, class) = match command.fidelity {
        Fidelity::Executed => ("executed", "is-executed"),
        Fidelity::Modelled => ("modelled", "is-modelled"),
        Fidelity::NotSimulated => ("not simulated", "is-not-simulated"),
    };
    html! {
        <li class={class}>
            <code>{ command.text.clone() }</code>
            <span class="number">{ format::seconds(command.seconds) }</span>
            <span class="fidelity">{ word }</span>
        </li>
    }
}

/// A line of a log.
pub fn log_line(line: &LogLine) -> Html {
    html! {
        <span class={classes!("log-line", line.stderr.then_some("is-stderr"))}>
            <span class="log-time">{ format!("{:.3}", line.at) }</span>{ " " }{ line.text.clone() }{ "\n" }
        </span>
    }
}
