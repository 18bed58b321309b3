use crate::dockerfile::edit::{Refusal, block_at, blocks, move_instruction};

const TEXT: &str = "\
# syntax=docker/dockerfile:1
# about the base
FROM a

# loose

# about x
COPY x \\
  /x
RUN <<E
y
E
# last
CMD [\"z\"]";

#[test]
fn a_block_is_an_instruction_with_its_comments() {
    let found: Vec<&str> = blocks(TEXT).iter().map(|b| b.span.slice(TEXT)).collect();
    assert_eq!(
        found,
        [
            "# about the base\nFROM a",
            "# about x\nCOPY x \\\n  /x",
            "RUN <<E\ny\nE",
            "# last\nCMD [\"z\"]",
        ]
    );
    assert_eq!(block_at(&blocks(TEXT), 7), Some(1));
    assert_eq!(block_at(&blocks(TEXT), 4), None);
}

#[test]
fn moves_whole_instructions_and_leaves_blank_lines_in_place() {
    let moved = move_instruction(TEXT, 3, 1).expect("CMD can move");
    insta::assert_snapshot!(moved.text, @r#"
    # syntax=docker/dockerfile:1
    # about the base
    FROM a

    # loose

    # last
    CMD ["z"]
    # about x
    COPY x \
      /x
    RUN <<E
    y
    E
    "#);
    assert_eq!(moved.block.span.slice(&moved.text), "# last\nCMD [\"z\"]");
    assert_eq!(
        move_instruction(&moved.text, 1, 3)
            .map(|m| m.text)
            .as_deref(),
        Ok(TEXT)
    );
}

#[test]
fn says_why_an_instruction_stays() {
    let refusal = |text, from, to| move_instruction(text, from, to).err();
    assert_eq!(refusal(TEXT, 0, 1), Some(Refusal::MovesFrom));
    assert_eq!(refusal(TEXT, 1, 0), Some(Refusal::BeforeFirstFrom));
    assert_eq!(refusal(TEXT, 1, 1), Some(Refusal::AlreadyThere));
    assert_eq!(refusal(TEXT, 1, 9), Some(Refusal::NoSuchInstruction));
    assert!(matches!(
        refusal("FROM a\nENV b\nRUN c\n", 1, 2),
        Some(Refusal::Broken(_))
    ));
    // The line at the end is only complete because the text ends there.
    assert_eq!(
        refusal("FROM a\nRUN b\nRUN c \\", 2, 1),
        Some(Refusal::ChangesOthers)
    );
    // A comment that would become a directive.
    let text = "FROM a\n# escape=`\nARG b=1\n";
    assert_eq!(refusal(text, 1, 0), Some(Refusal::ChangesOthers));
}

#[test]
fn arguments_may_pass_the_first_from() {
    let moved = move_instruction("FROM a\r\nARG b=1\r\n", 1, 0).expect("ARG can move");
    assert_eq!(moved.text, "ARG b=1\r\nFROM a\r\n");
    let moved = move_instruction("\u{FEFF}ARG b=1\nRUN\nFROM a\n", 0, 2).expect("ARG can move");
    assert_eq!(moved.text, "\u{FEFF}RUN\nFROM a\nARG b=1\n");
}
