//! One selection, many views: which instruction, step and layer belong together.

use layerwise::view::State;

/// What was chosen, as it was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// An instruction of the Dockerfile as it is.
    Instruction(usize),
    /// A step of the last build.
    Step(usize),
    /// A layer of the last build's image.
    Layer(usize),
}

/// The steps of the last build with their instructions and layers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Links {
    /// For each step, its instruction in the Dockerfile as it is now, and its layer.
    steps: Vec<(Option<usize>, Option<usize>)>,
}

impl Links {
    /// The links of a state.
    pub fn of(state: &State) -> Links {
        let Some(build) = &state.build else {
            return Links::default();
        };
        let mut taken = vec![false; state.instructions.len()];
        let steps = build
            .steps
            .iter()
            .map(|step| {
                let instruction = if build.current {
                    step.instruction
                } else {
                    // The Dockerfile is another by now: the first instruction of the same text.
                    let text = instruction_text(&step.name);
                    let found = state
                        .instructions
                        .iter()
                        .enumerate()
                        .position(|(at, instruction)| !taken[at] && instruction.text == text);
                    if let Some(at) = found {
                        taken[at] = true;
                    }
                    found
                };
                (instruction, step.layer)
            })
            .collect();
        Links { steps }
    }

    /// The instruction of what is chosen.
    pub fn instruction(&self, chosen: Chosen) -> Option<usize> {
        match chosen {
            Chosen::Instruction(index) => Some(index),
            _ => self.steps.get(self.step(chosen)?)?.0,
        }
    }

    /// The step of what is chosen.
    pub fn step(&self, chosen: Chosen) -> Option<usize> {
        match chosen {
            Chosen::Instruction(index) => self
                .steps
                .iter()
                .position(|(instruction, _)| *instruction == Some(index)),
            Chosen::Step(index) => Some(index),
            Chosen::Layer(index) => self
                .steps
                .iter()
                .position(|(_, layer)| *layer == Some(index)),
        }
    }

    /// The layer of what is chosen.
    pub fn layer(&self, chosen: Chosen) -> Option<usize> {
        match chosen {
            Chosen::Layer(index) => Some(index),
            _ => self.steps.get(self.step(chosen)?)?.1,
        }
    }

    /// Where an instruction is after a change: the nearest of the same text, or else the same place.
    pub fn follow(old: &State, new: &State, index: usize) -> Option<usize> {
        let text = &old.instructions.get(index)?.text;
        (0..new.instructions.len())
            .filter(|at| new.instructions[*at].text == *text)
            .min_by_key(|at| at.abs_diff(index))
            .or_else(|| (index < new.instructions.len()).then_some(index))
    }
}

/// The instruction in a step's name: `COPY . .` of `[3/6] COPY . .`.
fn instruction_text(name: &str) -> &str {
    name.strip_prefix('[')
        .and_then(|rest| rest.split_once("] "))
        .map_or(name, |(_, text)| text)
}
