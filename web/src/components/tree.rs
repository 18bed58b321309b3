//! A tree of files: a directory is asked for when it is opened, and of a long tree only what is
//! seen is on the page.
//!
//! The focus stays on the tree itself, which names the row it stands at (`aria-activedescendant`),
//! so that a row may leave the page while it scrolls.

use std::collections::BTreeMap;

use layerwise::view::{ChangeKind, NodeKind, Row, TreeRef};
use web_sys::{HtmlElement, KeyboardEvent};
use yew::prelude::*;

use super::icon::{Icon, icon};
use crate::format;
use crate::store::{Model, use_app};

/// The height of a row, as in the styles.
const ROW: i32 = 28;
/// Up to this many rows are all on the page.
const ALL: usize = 200;
/// Rows kept on the page above and below of what is seen.
const SPARE: i32 = 12;
/// A directory with at most this many entries is open from the beginning, where that is asked for.
const FEW: u32 = 12;

/// A tree, and what its rows show beside their names.
#[derive(Properties, PartialEq)]
pub struct TreeProps {
    /// Which tree.
    pub tree: TreeRef,
    /// A name for ids, of letters.
    pub id: &'static str,
    /// What assistive technology calls it.
    pub label: AttrValue,
    /// The path that it stands at.
    pub picked: Option<String>,
    /// It stands at another row.
    pub on_pick: Callback<Row>,
    /// A row that is no directory is opened.
    pub on_open: Callback<Row>,
    /// A key is pressed at a row that means nothing to the tree.
    #[prop_or_default]
    pub on_key: Callback<(Row, KeyboardEvent)>,
    /// The class of a row.
    pub class: Callback<Row, Classes>,
    /// What stands before the name.
    #[prop_or_default]
    pub lead: Option<Callback<Row, Html>>,
    /// What stands at the right end.
    pub trail: Callback<Row, Html>,
    /// What is said of an empty tree.
    pub empty: AttrValue,
}

/// See the module.
#[component]
pub fn Tree(props: &TreeProps) -> Html {
    let app = use_app();
    let toggled = use_state(BTreeMap::<String, bool>::new);
    let scroll = use_state(|| (0_i32, 600_i32));
    let list = use_node_ref();

    let mut flat = Flat {
        model: &app.model,
        tree: props.tree,
        toggled: &toggled,
        rows: Vec::new(),
        wanted: Vec::new(),
    };
    flat.walk("", true);
    let Flat { rows, wanted, .. } = flat;
    use_effect_with((props.tree, wanted), {
        let store = app.store.clone();
        move |(tree, wanted)| {
            for dir in wanted {
                store.list(*tree, dir);
            }
        }
    });

    let at = props
        .picked
        .as_ref()
        .and_then(|path| rows.iter().position(|shown| shown.row.path == *path));
    // What it stands at is to be seen.
    use_effect_with(at, {
        let list = list.clone();
        move |at| {
            if let (Some(at), Some(list)) = (at, list.cast::<HtmlElement>()) {
                let (top, height) = (*at as i32 * ROW, list.client_height());
                if top < list.scroll_top() {
                    list.set_scroll_top(top);
                } else if top + ROW > list.scroll_top() + height {
                    list.set_scroll_top(top + ROW - height);
                }
            }
        }
    });

    let toggle = {
        let toggled = toggled.clone();
        move |path: &str, open: bool| {
            let mut now = (*toggled).clone();
            now.insert(path.to_owned(), open);
            toggled.set(now);
        }
    };
    let onkeydown = {
        let rows: Vec<(Row, Option<bool>)> = rows
            .iter()
            .map(|shown| (shown.row.clone(), shown.open))
            .collect();
        let (toggle, on_pick, on_open, on_key) = (
            toggle.clone(),
            props.on_pick.clone(),
            props.on_open.clone(),
            props.on_key.clone(),
        );
        move |event: KeyboardEvent| {
            let last = rows.len().saturating_sub(1);
            let go = |to: usize| {
                if let Some((row, _)) = rows.get(to) {
                    on_pick.emit(row.clone());
                }
            };
            if event.ctrl_key() || event.meta_key() || event.alt_key() {
                return;
            }
            let key = event.key();
            let current = at.and_then(|at| rows.get(at));
            match (key.as_str(), current) {
                ("ArrowDown", _) => go(at.map_or(0, |at| (at + 1).min(last))),
                ("ArrowUp", _) => go(at.map_or(0, |at| at.saturating_sub(1))),
                ("Home", _) => go(0),
                ("End", _) => go(last),
                ("ArrowRight", Some((row, Some(false)))) => toggle(&row.path, true),
                ("ArrowRight", Some((_, Some(true)))) => go(at.unwrap_or(0) + 1),
                ("ArrowLeft", Some((row, Some(true)))) => toggle(&row.path, false),
                ("ArrowLeft", Some((row, _))) => {
                    let parent = format::parent(&row.path);
                    if let Some(to) = rows.iter().position(|(row, _)| row.path == parent) {
                        go(to);
                    }
                }
                ("Enter" | " ", Some((row, Some(open)))) => toggle(&row.path, !open),
                ("Enter" | " ", Some((row, None))) => on_open.emit(row.clone()),
                (_, Some((row, _))) => {
                    on_key.emit((row.clone(), event));
                    return;
                }
                _ => return,
            }
            event.prevent_default();
        }
    };
    let onscroll = {
        let (scroll, list) = (scroll.clone(), list.clone());
        move |_| {
            if let Some(list) = list.cast::<HtmlElement>() {
                scroll.set((list.scroll_top(), list.client_height()));
            }
        }
    };

    let count = rows.len();
    let (first, end) = if count <= ALL {
        (0, count)
    } else {
        let (top, height) = *scroll;
        let first = (top / ROW - SPARE).max(0) as usize;
        let end = ((top + height) / ROW + SPARE).max(0) as usize;
        (first.min(count), end.min(count))
    };
    let spacer = |rows: usize| {
        let style = format!("height: {}px", rows as i32 * ROW);
        (rows > 0).then(|| html! { <div role="presentation" ~style={style} /> })
    };
    let shown = rows[first..end].iter().enumerate().map(|(offset, shown)| {
        let index = first + offset;
        let row = &shown.row;
        let onclick = {
            let (row, open) = (row.clone(), shown.open);
            let (toggle, on_pick, on_open) =
                (toggle.clone(), props.on_pick.clone(), props.on_open.clone());
            move |_| {
                on_pick.emit(row.clone());
                match open {
                    Some(open) => toggle(&row.path, !open),
                    None => on_open.emit(row.clone()),
                }
            }
        };
        let depth = format::depth(row).min(9);
        let class = classes!(
            "row",
            format!("depth-{depth}"),
            (at == Some(index)).then_some("is-picked"),
            props.class.emit(row.clone()),
        );
        html! {
            <div
                key={row.path.clone()}
                id={format!("{}-{index}", props.id)}
                role="treeitem"
                {class}
                data-path={row.path.clone()}
                aria-level={(depth + 1).to_string()}
                aria-setsize={shown.siblings.to_string()}
                aria-posinset={shown.position.to_string()}
                aria-expanded={shown.open.map(|open| if open { "true" } else { "false" })}
                aria-selected={if at == Some(index) { "true" } else { "false" }}
                {onclick}
            >
                <span class={classes!("twist", (shown.open == Some(true)).then_some("is-open"))}>
                    if shown.open.is_some() { { icon(Icon::Right) } }
                </span>
                if let Some(lead) = &props.lead {
                    { lead.emit(row.clone()) }
                }
                <span class="name">
                    { row.name.clone() }
                    if row.node == NodeKind::Dir { { "/" } }
                    if let Some(target) = &row.target {
                        <span class="target">{ " → " }{ target.clone() }</span>
                    }
                </span>
                <span class="trail">{ props.trail.emit(row.clone()) }</span>
            </div>
        }
    });
    let is_known = app
        .model
        .branches
        .contains_key(&(props.tree, String::new()));
    html! {
        if count == 0 {
            <p class="empty">{ if is_known { props.empty.clone() } else { "Loading".into() } }</p>
        } else {
            <div
                ref={list}
                class="tree"
                role="tree"
                tabindex="0"
                aria-label={props.label.clone()}
                aria-activedescendant={at.map(|at| format!("{}-{at}", props.id))}
                {onkeydown}
                {onscroll}
            >
                { for spacer(first) }
                { for shown }
                { for spacer(count - end) }
            </div>
        }
    }
}

/// A row as it is shown.
struct Shown {
    row: Row,
    /// Whether a directory is open.
    open: Option<bool>,
    /// Its place among its siblings, from 1.
    position: usize,
    siblings: usize,
}

/// The rows of a tree one below the other.
struct Flat<'a> {
    model: &'a Model,
    tree: TreeRef,
    toggled: &'a BTreeMap<String, bool>,
    rows: Vec<Shown>,
    /// Directories that are open and not known yet.
    wanted: Vec<String>,
}

impl Flat<'_> {
    fn walk(&mut self, dir: &str, alone: bool) {
        let model = self.model;
        let Some(rows) = model.branches.get(&(self.tree, dir.to_owned())) else {
            self.wanted.push(dir.to_owned());
            return;
        };
        let siblings = rows.len();
        // A path of single directories is walked down at once.
        let alone = alone && siblings == 1;
        for (index, row) in rows.iter().enumerate() {
            let open = (row.node == NodeKind::Dir && row.change != Some(ChangeKind::Deleted))
                .then(|| self.is_open(row, alone));
            self.rows.push(Shown {
                row: row.clone(),
                open,
                position: index + 1,
                siblings,
            });
            if open == Some(true) {
                self.walk(&row.path, alone);
            }
        }
    }

    fn is_open(&self, row: &Row, alone: bool) -> bool {
        self.toggled.get(&row.path).copied().unwrap_or_else(|| {
            let few = row.entries <= FEW && format::depth(row) < 4;
            match self.tree {
                TreeRef::Context => few && row.ignored.is_none() && format::depth(row) == 0,
                TreeRef::Layer { .. } => few || alone,
                TreeRef::Merged { .. } | TreeRef::Step { .. } => false,
            }
        })
    }
}
