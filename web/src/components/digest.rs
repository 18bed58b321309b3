//! A digest: twelve digits to see, all to copy.

use yew::prelude::*;

use crate::{dom, format};

/// Which digest.
#[derive(Properties, PartialEq)]
pub struct DigestProps {
    /// `sha256:…` or the hex digits alone.
    pub digest: AttrValue,
    /// What it is the digest of: `layer`, `image`.
    pub of: AttrValue,
}

/// A button that copies the whole digest.
#[component]
pub fn Digest(props: &DigestProps) -> Html {
    let copied = use_state(|| None::<AttrValue>);
    let is_copied = copied.as_ref() == Some(&props.digest);
    let onclick = {
        let (digest, copied) = (props.digest.clone(), copied.clone());
        move |event: MouseEvent| {
            event.stop_propagation();
            dom::copy(&digest);
            copied.set(Some(digest.clone()));
            let copied = copied.clone();
            wasm_bindgen_futures::spawn_local(async move {
                dom::sleep(1_500).await;
                copied.set(None);
            });
        }
    };
    let label = format!("Copy the digest of the {}, {}", props.of, props.digest);
    html! {
        <button
            type="button"
            class="digest"
            title={props.digest.clone()}
            aria-label={label}
            data-digest={props.digest.clone()}
            {onclick}
        >
            if is_copied {
                { "copied" }
            } else {
                { format::short(&props.digest) }
            }
        </button>
    }
}
