//! Laws: what must hold for every build.

use proptest::prelude::*;

use super::predict::PredictedStatus;
use super::report::Status;
use super::tests::Bench;
use crate::context::Edit;

/// An instruction; `n` makes its destination its own.
fn instruction() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..3u8).prop_map(|n| format!("COPY a.txt /{n}/a")),
        (0..3u8).prop_map(|n| format!("COPY src /s{n}/")),
        (0..3u8).prop_map(|n| format!("COPY --link src/*.txt /l{n}/")),
        (0..3u8).prop_map(|n| format!("COPY --exclude=*.txt --chown={n}:7 src /x{n}/")),
        (0..3u8).prop_map(|n| format!("COPY --parents src/sub/*.txt /p{n}/")),
        (0..3u8).prop_map(|n| format!("COPY --from=other /o/{n} /f{n}")),
        (0..3u8).prop_map(|n| format!("WORKDIR /w{n}")),
        (0..3u8).prop_map(|n| format!("ENV N={n}")),
        Just("COPY a.txt src/b.txt /$N/".to_string()),
    ]
}

fn dockerfile() -> impl Strategy<Value = String> {
    let other = "FROM base AS other\nCOPY src/b.txt /o/0\nCOPY src/sub /o/1\nCOPY a.txt /o/2\n";
    prop::collection::vec(instruction(), 1..8)
        .prop_map(move |lines| format!("{other}FROM base\n{}\n", lines.join("\n")))
}

fn edit() -> impl Strategy<Value = Edit> {
    let path = prop::sample::select(vec!["a.txt", "src/b.txt", "src/sub/c.txt", "src/d.md"]);
    prop_oneof![
        4 => (path.clone(), 0..3u8).prop_map(|(path, n)| Edit::Write {
            path: path.into(),
            content: format!("{n}").as_str().into(),
            mode: None,
        }),
        1 => (prop::sample::select(vec!["a.txt", "src/b.txt"]), 0..2u32).prop_map(|(path, n)| {
            Edit::Chmod {
                path: path.into(),
                mode: 0o644 + n,
            }
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The cache never changes the image, and predictions come true.
    #[test]
    fn a_cached_build_gives_the_image_of_a_fresh_one(
        rounds in prop::collection::vec((dockerfile(), prop::collection::vec(edit(), 0..3)), 1..5)
    ) {
        let mut bench = Bench::new();
        let mut file = String::new();
        for (at, (other, edits)) in rounds.into_iter().enumerate() {
            if at % 2 == 0 {
                file = other;
            }
            for edit in edits {
                bench.context.advance_to(bench.clock.now());
                bench.context.edit(&edit).expect("the files are there");
            }
            let prediction = bench.predict(&file);
            let mut fresh = bench.clone();
            fresh.cache = Default::default();
            let expected = fresh.build(&file).image.map(|image| image.manifest_digest());
            let report = bench.build(&file);
            prop_assert!(expected.is_some());
            prop_assert_eq!(report.image.as_ref().map(|image| image.manifest_digest()), expected);
            for step in &report.steps {
                let from = step.text.starts_with("FROM");
                for instruction in step.instructions.iter().filter(|_| !from) {
                    let status = prediction.instructions[*instruction].status;
                    let fits = match status {
                        PredictedStatus::Hit => step.status == Status::Cached,
                        PredictedStatus::Miss => step.status == Status::Done || step.text.starts_with("COPY --link"),
                        PredictedStatus::Depends => true,
                        _ => false,
                    };
                    prop_assert!(fits, "{} was predicted {:?} and is {:?}", step.name, status, step.status);
                }
            }
        }
    }
}
