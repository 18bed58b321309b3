//! How fast the engine is. `cargo xtask bench` runs this and sets the figures in proportion to
//! [`sha256_1mib`], the machine's own speed.

use std::collections::BTreeMap;
use std::hint::black_box;

use divan::Bencher;
use layerwise::context::{Context, Ignore, Sender};
use layerwise::engine::{Edit, UploadedFile};
use layerwise::fs::{
    Clock, Content, Fs, NodeDigest, Overlay, Process, Time, Vfs, diff, node_digest,
};
use layerwise::image::Layer;
use layerwise::run::{Offline, Spec, execute};
use layerwise::session::Session;
use layerwise::view::{Reply, Request};

fn main() {
    divan::main();
}

/// Files in the large context.
const FILES: usize = 10_000;
/// Steps in the long Dockerfile.
const STEPS: usize = 30;

/// Thirty steps over scratch, half of which look at the context.
fn dockerfile() -> String {
    let mut text = String::from("FROM scratch\n");
    for step in 1..STEPS {
        match step % 3 {
            0 => text += &format!("WORKDIR /w{step}\n"),
            1 => text += &format!("COPY src/{} /app/{step}/\n", step % 10),
            _ => text += &format!("COPY . /all{step}/\n"),
        }
    }
    text
}

/// A session with the long Dockerfile and the large context.
fn session() -> Session {
    let mut session = Session::new();
    let files = (0..FILES).map(|n| UploadedFile {
        path: format!("src/{}/{}/file{n}.js", n % 10, n % 100),
        bytes: format!("export const n = {n};\n").into_bytes(),
    });
    edit(
        &mut session,
        Edit::Upload {
            files: files.collect(),
        },
    );
    edit(&mut session, Edit::Dockerfile { text: dockerfile() });
    session
}

fn edit(session: &mut Session, edit: Edit) {
    let reply = session.handle(Request::Edit { edit });
    assert!(matches!(reply, Reply::State(_)), "{reply:?}");
}

fn build(session: &mut Session) {
    let mut reply = session.handle(Request::Build);
    while matches!(reply, Reply::Progress(_)) {
        reply = session.handle(Request::Continue);
    }
    let Reply::State(state) = reply else {
        panic!("{reply:?}")
    };
    assert!(state.build.is_some_and(|build| build.summary.ok));
}

fn nudge(session: &mut Session, n: usize) {
    let path = format!("src/{}/{}/file{n}.js", n % 10, n % 100);
    let bytes = format!("export const n = {n}; // edited\n").into_bytes();
    edit(
        session,
        Edit::Write {
            path,
            bytes,
            mode: None,
        },
    );
}

#[divan::bench]
fn sha256_1mib(bencher: Bencher<'_, '_>) {
    bencher
        .with_inputs(|| vec![7_u8; 1 << 20])
        .bench_values(|bytes| Content::new(bytes).sha256());
}

#[divan::bench]
fn parse_300_lines(bencher: Bencher<'_, '_>) {
    let text = dockerfile().repeat(10);
    bencher.bench(|| layerwise::dockerfile::parse(black_box(&text)));
}

#[divan::bench(sample_count = 10)]
fn tree_of_10000_files() -> Fs {
    tree()
}

fn tree() -> Fs {
    let root = Process::root();
    let mut vfs = Vfs::new(Overlay::over(&Fs::empty(), Clock::at(Time(1))));
    for dir in 0..100 {
        vfs.mkdir(&root, &format!("/d{dir}"), 0o755)
            .expect("a new name");
        for file in 0..FILES / 100 {
            let path = format!("/d{dir}/f{file}");
            vfs.write(&root, &path, "content\n".into())
                .expect("a new name");
        }
    }
    vfs.into_root().commit()
}

#[divan::bench(sample_count = 10)]
fn diff_tar_digest_10000_files(bencher: Bencher<'_, '_>) {
    let (lower, upper) = (Fs::empty(), tree());
    bencher.bench(|| Layer::from_changes(diff(&lower, &upper), Some(Time::EPOCH)));
}

/// A context of many files, of which patterns of every kind leave some out.
fn context() -> (Context, Ignore) {
    let mut context = Context::new(Time::EPOCH);
    for n in 0..FILES {
        let path = format!("src/{}/{}/file{n}.js", n % 10, n % 100);
        let written = context.write(&path, format!("export const n = {n};\n").as_str());
        assert!(written.is_ok());
    }
    let ignore = Ignore::parse(
        ".dockerignore",
        ".git\n**/node_modules\n*.md\n!README.md\n**/*.log\nsrc/**/file?7.js\nsrc/[89]\ndist/**\n",
    );
    match ignore {
        Ok(ignore) => (context, ignore),
        Err(error) => panic!("{error}"),
    }
}

/// What is sent, and its digest.
fn sent(sender: &mut Sender, context: &Context, ignore: &Ignore) -> NodeDigest {
    let all: [&str; 0] = [];
    match sender.send(context.fs(), ignore.matcher(), &all) {
        Ok(fs) => node_digest(&fs, Fs::ROOT),
        Err(error) => panic!("{error}"),
    }
}

#[divan::bench(sample_count = 10)]
fn send_10000_files(bencher: Bencher<'_, '_>) {
    let (context, ignore) = context();
    bencher.bench_local(|| sent(&mut Sender::default(), &context, &ignore));
}

#[divan::bench(sample_count = 100)]
fn send_after_an_edit(bencher: Bencher<'_, '_>) {
    let (mut context, ignore) = context();
    let mut sender = Sender::default();
    sent(&mut sender, &context, &ignore);
    let mut n = 0;
    bencher.bench_local(|| {
        n += 1;
        let text = format!("export const n = {n};\n");
        let written = context.write("src/3/33/file33.js", text.as_str());
        assert!(written.is_ok());
        sent(&mut sender, &context, &ignore)
    });
}

#[divan::bench(sample_count = 10)]
fn run_10000_commands(bencher: Bencher<'_, '_>) {
    let root = Process::root();
    let mut vfs = Vfs::new(Overlay::over(&Fs::empty(), Clock::at(Time(1))));
    vfs.mkdir(&root, "/bin", 0o755).expect("a new name");
    let shell = Content::stand_in(&b"\x7fELFprogram busybox\n"[..], 1 << 20);
    vfs.write(&root, "/bin/sh", shell).expect("a new name");
    vfs.chmod(&root, "/bin/sh", 0o755).expect("it is there");
    let base = vfs.into_root().commit();
    let script = "i=0; while [ $i -lt 3333 ]; do i=$((i+1)); echo $i > /f; done";
    bencher.bench(|| {
        let mut vfs = Vfs::new(Overlay::over(&base, Clock::at(Time(1))));
        let mut spec = Spec::new(["/bin/sh", "-c", script]);
        spec.env = BTreeMap::from([("PATH", "/bin")])
            .into_iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        let outcome = execute(&mut vfs, &spec, &mut Offline).expect("nothing interrupts it");
        assert_eq!(outcome.exit_code, 0);
        outcome.command_count
    });
}

#[divan::bench(sample_count = 5)]
fn build_30_steps_10000_files(bencher: Bencher<'_, '_>) {
    bencher
        .with_inputs(session)
        .bench_values(|mut session| build(&mut session));
}

#[divan::bench(sample_count = 5)]
fn rebuild_after_an_edit(bencher: Bencher<'_, '_>) {
    bencher
        .with_inputs(|| {
            let mut session = session();
            build(&mut session);
            nudge(&mut session, 42);
            session
        })
        .bench_values(|mut session| build(&mut session));
}

#[divan::bench(sample_count = 20)]
fn predict_after_an_edit(bencher: Bencher<'_, '_>) {
    let mut session = session();
    build(&mut session);
    let mut n = 0;
    bencher.bench_local(move || {
        n = (n + 1) % FILES;
        nudge(&mut session, n);
    });
}
