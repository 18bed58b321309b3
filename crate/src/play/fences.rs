//! Markdown as a play sees it: prose and fenced blocks.

/// A fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence<'a> {
    /// The line of the opening fence, from 1.
    pub line: u32,
    /// What stands behind the opening fence.
    pub info: &'a str,
    /// The text between the fences, each line with its end.
    pub text: String,
    /// Whether the closing fence is there.
    pub closed: bool,
}

/// A part of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// A line outside of any block, without its end.
    Prose {
        /// Its number, from 1.
        line: u32,
        /// Its text.
        text: &'a str,
    },
    /// A block.
    Fence(Fence<'a>),
}

/// The parts of a document in order. (CommonMark 0.31, "Fenced code blocks"; blocks in quotes and
/// lists are prose here.)
pub fn parts(source: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut open: Option<(Fence<'_>, char, usize, usize)> = None;
    for (number, line) in source.lines().enumerate() {
        let number = number as u32 + 1;
        let indent = line.len() - line.trim_start_matches(' ').len();
        let text = line.trim_start_matches(' ');
        if let Some((fence, letter, length, margin)) = &mut open {
            let run = text.chars().take_while(|c| c == letter).count();
            if indent < 4 && run >= *length && text[run..].trim().is_empty() {
                fence.closed = true;
                parts.extend(open.take().map(|(fence, ..)| Part::Fence(fence)));
            } else {
                let cut = indent.min(*margin);
                fence.text.push_str(&line[cut..]);
                fence.text.push('\n');
            }
            continue;
        }
        let letter = text.chars().next().filter(|c| matches!(c, '`' | '~'));
        let run = letter.map_or(0, |letter| {
            text.chars().take_while(|c| *c == letter).count()
        });
        let info = text.get(run..).unwrap_or_default().trim();
        match letter {
            Some(letter) if indent < 4 && run >= 3 && !(letter == '`' && info.contains('`')) => {
                let fence = Fence {
                    line: number,
                    info,
                    text: String::new(),
                    closed: false,
                };
                open = Some((fence, letter, run, indent));
            }
            _ => parts.push(Part::Prose {
                line: number,
                text: line,
            }),
        }
    }
    parts.extend(open.map(|(fence, ..)| Part::Fence(fence)));
    parts
}
