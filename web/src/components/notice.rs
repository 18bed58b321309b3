//! What there is to tell beside the views: a line that stays until it is put away.

use yew::prelude::*;

use super::icon::{Icon, IconButton, icon};
use crate::store::Handle;

/// The line.
pub fn notice_bar(app: &Handle) -> Html {
    let notice = app.model.notice.clone();
    let store = app.store.clone();
    // The region is always there, or else what appears in it would not be read out.
    html! {
        <div class="notices" role={notice.as_ref().map(|notice| if notice.bad { "alert" } else { "status" })}>
            if let Some(notice) = notice {
                <div class={classes!("notice", notice.bad.then_some("is-bad"))}>
                    { icon(if notice.bad { Icon::Warning } else { Icon::Info }) }
                    <p>
                        <strong>{ notice.message }</strong>
                        if let Some(help) = notice.help {
                            { " " }{ help }
                        }
                    </p>
                    { IconButton::new(Icon::Cross, "Put this message away", move |()| store.hush()).show() }
                </div>
            }
        </div>
    }
}
