//! How it is built: what `docker buildx build` takes as flags.

use layerwise::view::{BuildOptions, Edit};
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::icon::{Icon, IconButton, icon};
use super::menu::Popover;
use crate::store::use_app;

/// The platforms to choose from; the first is what is built without a choice.
const PLATFORMS: [&str; 3] = ["linux/amd64", "linux/arm64", "linux/arm/v7"];

/// The button and its fields; what is changed counts at once.
#[component]
pub fn Options() -> Html {
    let app = use_app();
    let open = use_state(|| false);
    let new_arg = use_state(|| (String::new(), String::new()));
    let Some(state) = app.model.state.clone() else {
        return html! {};
    };
    let options = state.options.clone();
    let change = {
        let (store, options) = (app.store.clone(), options.clone());
        Callback::from(move |change: Box<dyn FnOnce(&mut BuildOptions)>| {
            let mut options = options.clone();
            change(&mut options);
            store.edit(Edit::Options { options });
        })
    };

    let mut stages: Vec<String> = Vec::new();
    for stage in state
        .instructions
        .iter()
        .filter_map(|each| each.stage.clone())
    {
        if !stages.contains(&stage) {
            stages.push(stage);
        }
    }
    let chosen = |event: Event| {
        let value = event.target_unchecked_into::<HtmlSelectElement>().value();
        (!value.is_empty()).then_some(value)
    };
    let on_target = {
        let change = change.clone();
        move |event: Event| {
            let target = chosen(event);
            change.emit(Box::new(move |options| options.target = target));
        }
    };
    let on_platform = {
        let change = change.clone();
        move |event: Event| {
            let platform = chosen(event);
            change.emit(Box::new(move |options| options.platform = platform));
        }
    };
    let on_no_cache = {
        let change = change.clone();
        move |event: Event| {
            let checked = event.target_unchecked_into::<HtmlInputElement>().checked();
            change.emit(Box::new(move |options| options.no_cache = checked));
        }
    };

    let args = options.build_args.iter().map(|(name, value)| {
        let onchange = {
            let (change, name) = (change.clone(), name.clone());
            move |event: Event| {
                let value = event.target_unchecked_into::<HtmlInputElement>().value();
                let name = name.clone();
                change.emit(Box::new(move |options| {
                    options.build_args.insert(name, value);
                }));
            }
        };
        let on_click = {
            let (change, name) = (change.clone(), name.clone());
            move |()| {
                let name = name.clone();
                change.emit(Box::new(move |options| {
                    options.build_args.remove(&name);
                }));
            }
        };
        html! {
            <div class="arg" key={name.clone()}>
                <label class="field"><span>{ name.clone() }</span><input type="text" value={value.clone()} {onchange} /></label>
                { IconButton::new(Icon::Cross, format!("Remove {name}"), on_click).show() }
            </div>
        }
    });
    let field = |index: usize| {
        let new_arg = new_arg.clone();
        move |event: InputEvent| {
            let value = event.target_unchecked_into::<HtmlInputElement>().value();
            let mut now = (*new_arg).clone();
            if index == 0 {
                now.0 = value;
            } else {
                now.1 = value;
            }
            new_arg.set(now);
        }
    };
    let on_add = {
        let (change, new_arg) = (change.clone(), new_arg.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let (name, value) = (*new_arg).clone();
            let name = name.trim().to_owned();
            if !name.is_empty() {
                change.emit(Box::new(move |options| {
                    options.build_args.insert(name, value);
                }));
                new_arg.set(Default::default());
            }
        }
    };

    let set = count_set(&options);
    let button = html! {
        <>
            { icon(Icon::Sliders) }
            <span class="wide-only">{ "Options" }</span>
            if set > 0 { <span class="badge">{ set }<span class="unseen">{ " set" }</span></span> }
        </>
    };
    html! {
        <Popover
            open={*open}
            on_toggle={let open = open.clone(); move |to| open.set(to)}
            label="Options"
            class="button"
            kind="dialog"
            to_left=true
            {button}
        >
            <div class="options" role="dialog" aria-label="Build options">
                <label class="field">
                    <span>{ "Target stage" }</span>
                    <select onchange={on_target}>
                        <option value="" selected={options.target.is_none()}>{ "the last one" }</option>
                        { for stages.into_iter().map(|stage| {
                            let selected = options.target.as_ref() == Some(&stage);
                            html! { <option value={stage.clone()} {selected}>{ stage }</option> }
                        }) }
                    </select>
                </label>
                <label class="field">
                    <span>{ "Platform" }</span>
                    <select onchange={on_platform}>
                        { for PLATFORMS.iter().enumerate().map(|(index, platform)| {
                            let value = if index == 0 { "" } else { *platform };
                            let selected = options.platform.as_deref().unwrap_or_default() == value;
                            html! { <option {value} {selected}>{ *platform }</option> }
                        }) }
                    </select>
                </label>
                <label class="check">
                    <input type="checkbox" checked={options.no_cache} onchange={on_no_cache} />
                    <span>{ "Build without the cache" }</span>
                </label>
                <fieldset>
                    <legend>{ "Build arguments" }</legend>
                    { for args }
                    <form class="arg" onsubmit={on_add}>
                        <label class="field"><span>{ "Name" }</span><input type="text" autocomplete="off" spellcheck="false" value={new_arg.0.clone()} oninput={field(0)} /></label>
                        <label class="field"><span>{ "Value" }</span><input type="text" autocomplete="off" spellcheck="false" value={new_arg.1.clone()} oninput={field(1)} /></label>
                        <button type="submit" class="button">{ "Add" }</button>
                    </form>
                </fieldset>
            </div>
        </Popover>
    }
}

/// How many options differ from what is built without a choice.
fn count_set(options: &BuildOptions) -> usize {
    usize::from(options.target.is_some())
        + usize::from(options.platform.is_some())
        + usize::from(options.no_cache)
        + options.build_args.len()
}
