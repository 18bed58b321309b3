//! Light and dark: as the system has it, until the user says otherwise.

use yew::prelude::*;

use super::icon::{Icon, IconButton};
use crate::dom;

const KEY: &str = "layerwise.theme";

fn is_dark() -> bool {
    match dom::load(KEY).as_deref() {
        Some("dark") => true,
        Some("light") => false,
        _ => dom::matches_media("(prefers-color-scheme: dark)"),
    }
}

/// The switch.
#[component]
pub fn ThemeSwitch() -> Html {
    let dark = use_state(is_dark);
    use_effect_with((), |()| {
        if let Some(theme) = dom::load(KEY) {
            dom::tell_page("theme", &theme);
        }
    });
    let on_click = {
        let dark = dark.clone();
        move |()| {
            // What is seen now counts: the system may have changed meanwhile.
            let theme = if is_dark() { "light" } else { "dark" };
            dom::store(KEY, theme);
            dom::tell_page("theme", theme);
            dark.set(theme == "dark");
        }
    };
    let (icon, label) = if *dark {
        (Icon::Sun, "Light theme")
    } else {
        (Icon::Moon, "Dark theme")
    };
    IconButton::new(icon, label, on_click).show()
}
