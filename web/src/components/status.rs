//! What became of a step, or will: a shape, a word and a colour each.

use layerwise::view::{LayerOrigin, PredictedStatus, StepStatus};
use yew::prelude::*;

use super::icon::{Icon, icon};

/// A verdict as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The shape.
    pub icon: Icon,
    /// The word.
    pub word: &'static str,
    /// The class of its colour and texture.
    pub class: &'static str,
}

impl From<StepStatus> for Verdict {
    fn from(status: StepStatus) -> Self {
        let (icon, word, class) = match status {
            StepStatus::Done => (Icon::Diamond, "ran", "is-built"),
            StepStatus::Cached => (Icon::Tick, "cached", "is-hit"),
            StepStatus::Failed => (Icon::Cross, "failed", "is-failed"),
            StepStatus::Skipped => (Icon::Dash, "not reached", "is-skipped"),
        };
        Verdict { icon, word, class }
    }
}

impl From<LayerOrigin> for Verdict {
    fn from(origin: LayerOrigin) -> Self {
        let (icon, word, class) = match origin {
            LayerOrigin::Base => (Icon::Dash, "base", "is-base"),
            LayerOrigin::Cached => (Icon::Tick, "cached", "is-hit"),
            LayerOrigin::Built => (Icon::Diamond, "built", "is-built"),
        };
        Verdict { icon, word, class }
    }
}

impl Verdict {
    /// What the next build does with the layer of an instruction; nothing if there is nothing to say.
    pub fn predicted(status: PredictedStatus) -> Option<Verdict> {
        let (icon, word, class) = match status {
            PredictedStatus::Hit => (Icon::Tick, "cached", "is-hit"),
            PredictedStatus::Miss => (Icon::Diamond, "will rebuild", "is-built"),
            PredictedStatus::Depends => (Icon::Diamond, "may rebuild", "is-built"),
            PredictedStatus::Config | PredictedStatus::Skipped | PredictedStatus::Unknown => {
                return None;
            }
        };
        Some(Verdict { icon, word, class })
    }

    /// Shape and word.
    pub fn show(self) -> Html {
        html! {
            <span class={classes!("verdict-word", self.class)}>{ icon(self.icon) }{ self.word }</span>
        }
    }
}
