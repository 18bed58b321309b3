//! Small drawings, all in a square of 16 units, drawn with the colour of the text.

use yew::prelude::*;

/// A drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// A tick: cached.
    Tick,
    /// A diamond: runs.
    Diamond,
    /// A cross: failed.
    Cross,
    /// A dash: not reached.
    Dash,
    /// Undo.
    Undo,
    /// Redo.
    Redo,
    /// A sun: light.
    Sun,
    /// A moon: dark.
    Moon,
    /// Up.
    Up,
    /// Down.
    Down,
    /// To the right.
    Right,
    /// Opens something below.
    Chevron,
    /// New.
    Plus,
    /// From the user's machine.
    Upload,
    /// Another name.
    Pencil,
    /// Away with it.
    Bin,
    /// A program.
    Program,
    /// A clock.
    Clock,
    /// Settings.
    Sliders,
    /// Attention.
    Warning,
    /// Good to know.
    Info,
}

/// The drawing, hidden from assistive technology: words stand beside it.
pub fn icon(icon: Icon) -> Html {
    let path = match icon {
        Icon::Tick => "M3 8.5 6.5 12 13 4.5",
        Icon::Diamond => "M8 2.2 13.8 8 8 13.8 2.2 8z",
        Icon::Cross => "M4 4l8 8M12 4l-8 8",
        Icon::Dash => "M4 8h8",
        Icon::Undo => "M3 6h6.5a3.5 3.5 0 0 1 0 7H6M3 6l3-3M3 6l3 3",
        Icon::Redo => "M13 6H6.5a3.5 3.5 0 0 0 0 7H10M13 6l-3-3M13 6l-3 3",
        Icon::Sun => {
            "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1"
        }
        Icon::Moon => "M13.5 9.7A6 6 0 1 1 6.3 2.5a4.8 4.8 0 0 0 7.2 7.2z",
        Icon::Up => "M8 13V3M3.5 7.5 8 3l4.5 4.5",
        Icon::Down => "M8 3v10M3.5 8.5 8 13l4.5-4.5",
        Icon::Right => "M6 3.5 10.5 8 6 12.5",
        Icon::Chevron => "M3.5 6 8 10.5 12.5 6",
        Icon::Plus => "M8 3v10M3 8h10",
        Icon::Upload => "M8 11V2.5M4.5 6 8 2.5 11.5 6M2.5 13.5h11",
        Icon::Pencil => "M3 13l.7-3L10.5 3.2l2.3 2.3L6 12.3zM9 4.7 11.3 7",
        Icon::Bin => "M2.5 4.5h11M6 4.5V2.5h4v2M4 4.5l.7 9h6.6l.7-9M6.7 7v4M9.3 7v4",
        Icon::Program => "M2 3h12v10H2zM4.5 6 7 8l-2.5 2M8.5 10.5h3",
        Icon::Clock => "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 4.8V8l2.2 1.6",
        Icon::Sliders => "M2 4.5h6M11 4.5h3M2 11.5h3M8 11.5h6M9.5 3v3M6.5 10v3",
        Icon::Warning => "M8 2 14.5 13.5h-13zM8 6.5v3.2M8 11.6v.1",
        Icon::Info => "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 7.3v3.6M8 5v.1",
    };
    html! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d={path} /></svg>
    }
}

/// A button of which only the drawing is seen; its name is read and shown as a tooltip.
pub struct IconButton {
    icon: Icon,
    label: AttrValue,
    on_click: Callback<()>,
    enabled: bool,
    keys: Option<&'static str>,
}

impl IconButton {
    /// A button by its drawing, what it does, and the click.
    pub fn new(
        icon: Icon,
        label: impl Into<AttrValue>,
        on_click: impl Into<Callback<()>>,
    ) -> IconButton {
        IconButton {
            icon,
            label: label.into(),
            on_click: on_click.into(),
            enabled: true,
            keys: None,
        }
    }

    /// Whether it can be pressed now; it keeps its place and its focus if not.
    pub fn enabled(self, enabled: bool) -> IconButton {
        IconButton { enabled, ..self }
    }

    /// The keys that do the same, as ARIA writes them.
    pub fn keys(self, keys: &'static str) -> IconButton {
        let keys = Some(keys);
        IconButton { keys, ..self }
    }

    /// The button.
    pub fn show(self) -> Html {
        let (enabled, on_click) = (self.enabled, self.on_click);
        html! {
            <button
                type="button"
                class="icon-button"
                aria-label={self.label.clone()}
                title={self.label}
                aria-disabled={(!enabled).then_some("true")}
                aria-keyshortcuts={self.keys}
                onclick={move |_| if enabled { on_click.emit(()) }}
            >
                { icon(self.icon) }
            </button>
        }
    }
}
