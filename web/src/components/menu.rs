//! A button that opens something below it: a menu, or a few fields.

use wasm_bindgen::JsCast;
use web_sys::{Element, FocusEvent, HtmlElement, KeyboardEvent, Node};
use yew::prelude::*;

use super::icon::{Icon, icon};
use crate::dom;

/// The frame of a popover.
#[derive(Properties, PartialEq)]
pub struct PopoverProps {
    /// Whether it is open.
    pub open: bool,
    /// It is to open, or to close.
    pub on_toggle: Callback<bool>,
    /// What is on the button.
    pub button: Html,
    /// What the button is called, where what is on it does not say it.
    #[prop_or_default]
    pub label: Option<AttrValue>,
    /// The button's class.
    pub class: Classes,
    /// What opens: `menu` or `dialog`.
    pub kind: AttrValue,
    /// Whether it is aligned with the button's right edge.
    #[prop_or_default]
    pub to_left: bool,
    /// What is in it.
    pub children: Html,
}

/// A button and what it opens; Escape, or the focus elsewhere, closes it.
#[component]
pub fn Popover(props: &PopoverProps) -> Html {
    let frame = use_node_ref();
    let button = use_node_ref();
    let onclick = props.on_toggle.reform({
        let open = props.open;
        move |_: MouseEvent| !open
    });
    let onfocusout = {
        let (frame, on_toggle, open) = (frame.clone(), props.on_toggle.clone(), props.open);
        move |event: FocusEvent| {
            let to = event
                .related_target()
                .and_then(|to| to.dyn_into::<Node>().ok());
            let inside = frame.get().is_some_and(|frame| frame.contains(to.as_ref()));
            if open && !inside {
                on_toggle.emit(false);
            }
        }
    };
    let onkeydown = {
        let (button, on_toggle, open) = (button.clone(), props.on_toggle.clone(), props.open);
        move |event: KeyboardEvent| {
            if open && event.key() == "Escape" {
                event.prevent_default();
                event.stop_propagation();
                on_toggle.emit(false);
                if let Some(button) = button.cast::<HtmlElement>() {
                    let _ = button.focus();
                }
            }
        }
    };
    html! {
        <div class="popover" ref={frame} {onfocusout} {onkeydown}>
            <button
                ref={button}
                type="button"
                class={props.class.clone()}
                aria-label={props.label.clone()}
                title={props.label.clone()}
                aria-haspopup={props.kind.clone()}
                aria-expanded={if props.open { "true" } else { "false" }}
                {onclick}
            >
                { props.button.clone() }
            </button>
            if props.open {
                <div class={classes!("popover-panel", props.to_left.then_some("to-left"))}>
                    { props.children.clone() }
                </div>
            }
        </div>
    }
}

/// A thing to choose in a menu.
#[derive(Clone, PartialEq)]
pub struct Item {
    /// What it says.
    pub label: AttrValue,
    /// A second line, smaller.
    pub hint: Option<AttrValue>,
    /// What choosing it does.
    pub on_pick: Callback<()>,
}

impl Item {
    /// An item without a hint.
    pub fn new(label: impl Into<AttrValue>, on_pick: Callback<()>) -> Item {
        Item {
            label: label.into(),
            hint: None,
            on_pick,
        }
    }
}

/// A menu.
#[derive(Properties, PartialEq)]
pub struct MenuProps {
    /// What is on the button.
    pub button: Html,
    /// What the button is called, where what is on it does not say it.
    #[prop_or_default]
    pub label: Option<AttrValue>,
    /// The button's class.
    pub class: Classes,
    /// What can be chosen.
    pub items: Vec<Item>,
    /// Whether it is aligned with the button's right edge.
    #[prop_or_default]
    pub to_left: bool,
    /// Whether the button has no mark of its own that it opens something.
    #[prop_or(true)]
    pub chevron: bool,
}

/// A menu with the keys of menus.
#[component]
pub fn Menu(props: &MenuProps) -> Html {
    let open = use_state(|| false);
    let list = use_node_ref();
    let on_toggle = {
        let open = open.clone();
        Callback::from(move |to| open.set(to))
    };
    use_effect_with(*open, {
        let list = list.clone();
        move |open| {
            if *open {
                focus_item(&list, |_, _| 0);
            }
        }
    });
    let onkeydown = {
        let (list, open) = (list.clone(), open.clone());
        move |event: KeyboardEvent| {
            match event.key().as_str() {
                "ArrowDown" => focus_item(&list, |at, count| (at + 1) % count),
                "ArrowUp" => focus_item(&list, |at, count| (at + count - 1) % count),
                "Home" => focus_item(&list, |_, _| 0),
                "End" => focus_item(&list, |_, count| count - 1),
                "Tab" => {
                    open.set(false);
                    return;
                }
                _ => return,
            }
            event.prevent_default();
        }
    };
    let items = props.items.iter().map(|item| {
        let (open, on_pick) = (open.clone(), item.on_pick.clone());
        html! {
            <button
                type="button"
                role="menuitem"
                class="menu-item"
                tabindex="-1"
                onclick={move |_| { open.set(false); on_pick.emit(()); }}
            >
                <span>{ item.label.clone() }</span>
                if let Some(hint) = &item.hint {
                    <small>{ hint.clone() }</small>
                }
            </button>
        }
    });
    html! {
        <Popover
            open={*open}
            {on_toggle}
            label={props.label.clone()}
            class={props.class.clone()}
            kind="menu"
            to_left={props.to_left}
            button={html! { <>{ props.button.clone() }if props.chevron { { icon(Icon::Chevron) } }</> }}
        >
            <div role="menu" class="menu" ref={list} {onkeydown}>
                { for items }
            </div>
        </Popover>
    }
}

/// Puts the focus on an item, told from the one that has it and how many there are.
fn focus_item(list: &NodeRef, to: impl Fn(usize, usize) -> usize) {
    let Some(items) = list
        .cast::<Element>()
        .and_then(|list| list.query_selector_all("[role=menuitem]").ok())
    else {
        return;
    };
    let count = items.length() as usize;
    let active: Option<Node> = dom::document().active_element().map(Into::into);
    let at = (0..items.length())
        .position(|index| items.get(index) == active)
        .unwrap_or(0);
    if count > 0
        && let Some(item) = items.get(to(at, count) as u32)
        && let Some(item) = item.dyn_ref::<Element>()
    {
        dom::focus_on(item);
    }
}
