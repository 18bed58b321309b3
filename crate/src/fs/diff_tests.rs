use super::*;

fn listing(lower: &Fs, upper: &Fs) -> Vec<String> {
    diff(lower, upper)
        .iter()
        .map(|change| match change {
            Change::Put {
                path,
                hard_link: Some(first),
                ..
            } => format!("{path} => {first}"),
            Change::Put { path, inode, .. } if inode.is_dir() => format!("{path}/"),
            Change::Put { path, .. } => path.clone(),
            Change::Whiteout { path, .. } => format!("-{path}"),
        })
        .collect()
}

fn build(lower: &Fs, script: impl FnOnce(&mut Vfs, &Process)) -> Fs {
    let mut vfs = Vfs::new(Overlay::over(lower, Clock::at(Time(1_500))));
    script(&mut vfs, &Process::root());
    vfs.into_root().commit()
}

fn base() -> Fs {
    build(&Fs::empty(), |vfs, p| {
        for dir in ["/a", "/a/sub", "/d"] {
            vfs.mkdir(p, dir, 0o755).unwrap();
        }
        for file in ["/a+", "/a/f", "/a/sub/g", "/d/1", "/d/2"] {
            vfs.write(p, file, file.into()).unwrap();
        }
        vfs.link(p, "/d/1", "/d/one").unwrap();
    })
}

#[test]
fn order_is_depth_first_by_bare_name() {
    assert_eq!(
        listing(&Fs::empty(), &base()),
        [
            "a/",
            "a/f",
            "a/sub/",
            "a/sub/g",
            "a+",
            "d/",
            "d/1",
            "d/2",
            "d/one => d/1"
        ]
    );
}

#[test]
fn a_change_through_one_name_breaks_a_lower_hard_link() {
    let lower = base();
    let upper = build(&lower, |vfs, p| {
        vfs.write(p, "/d/one", "new".into()).unwrap();
    });
    assert_eq!(listing(&lower, &upper), ["d/", "d/one"]);
    assert_eq!(upper.read_text("/d/1").as_deref(), Some("/d/1"));
}

#[test]
fn a_directory_made_again_is_compared_with_the_old_one() {
    let lower = base();
    let upper = build(&lower, |vfs, p| {
        for file in ["/d/1", "/d/2", "/d/one"] {
            vfs.unlink(p, file).unwrap();
        }
        vfs.rmdir(p, "/d").unwrap();
        vfs.mkdir(p, "/d", 0o755).unwrap();
        vfs.write(p, "/d/2", "/d/2".into()).unwrap();
        vfs.write(p, "/d/new", "".into()).unwrap();
    });
    assert_eq!(
        listing(&lower, &upper),
        ["d/", "-d/1", "d/2", "d/new", "-d/one"]
    );
}

#[test]
fn a_time_alone_lists_no_directory_and_a_same_mode_no_file() {
    let lower = base();
    let upper = build(&lower, |vfs, p| {
        vfs.chmod(p, "/a/f", 0o644).unwrap();
        vfs.set_mtime(p, "/a", Time(77), Follow::Yes).unwrap();
    });
    assert!(listing(&lower, &upper).is_empty());
}

#[test]
fn lower_directories_cannot_be_renamed() {
    let lower = base();
    build(&lower, |vfs, p| {
        assert_eq!(vfs.rename(p, "/a", "/b"), Err(Errno::Exdev));
        vfs.mkdir(p, "/n", 0o755).unwrap();
        vfs.rename(p, "/n", "/a/n").unwrap();
        assert!(vfs.is_dir(p, "/a/n"));
    });
}

#[test]
fn a_name_moves_over_its_hard_link_only_where_that_is_a_lower_one() {
    let lower = base();
    let upper = build(&lower, |vfs, p| {
        vfs.rename(p, "/d/1", "/d/one").unwrap();
        vfs.write(p, "/x", "".into()).unwrap();
        vfs.link(p, "/x", "/y").unwrap();
        vfs.rename(p, "/x", "/y").unwrap();
        vfs.rename(p, "/a/f", "/a/f").unwrap();
    });
    assert_eq!(listing(&lower, &upper), ["d/", "-d/1", "x", "y => x"]);
}

#[test]
fn a_fork_is_isolated() {
    let lower = base();
    let mut fork = Overlay::over(&lower, Clock::at(Time(9)));
    let (dir, _) = lower.find("d").unwrap();
    fork.remove(dir, "1").unwrap();
    assert!(lower.find("d/1").is_some());
    assert!(fork.fs().find("d/1").is_none());
    assert!(fork.fs().find("d/one").is_some());
}
