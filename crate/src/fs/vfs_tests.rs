//! What a process sees, as Linux has it.

use super::*;

fn vfs() -> Vfs {
    let mut vfs = Vfs::new(Overlay::over(&Fs::empty(), Clock::at(Time(1_500))));
    let p = &Process::root();
    for dir in ["/a", "/a/b", "/open", "/tmp", "/closed"] {
        vfs.mkdir(p, dir, 0o755).unwrap();
    }
    for file in ["/f", "/a/f", "/a/b/g", "/tmp/roots"] {
        vfs.write(p, file, file.into()).unwrap();
    }
    for (target, path) in [
        ("a/b", "/rel"),
        ("/a/b/..", "/up"),
        ("../../../f", "/a/b/out"),
        ("missing", "/dangling"),
        ("loop", "/loop"),
        ("pong", "/ping"),
        ("ping", "/pong"),
        ("f/", "/slashed"),
    ] {
        vfs.symlink(p, target, path).unwrap();
    }
    vfs.chmod(p, "/open", 0o777).unwrap();
    vfs.chmod(p, "/tmp", 0o1777).unwrap();
    vfs.chmod(p, "/closed", 0o700).unwrap();
    vfs
}

fn user(uid: u32, gid: u32) -> Process {
    Process {
        cred: Cred {
            uid,
            gid,
            groups: vec![50],
        },
        ..Process::root()
    }
}

fn real(vfs: &Vfs, path: &str, follow: Follow) -> String {
    match vfs.resolve(&Process::root(), path, follow) {
        Ok(spot) if spot.ino.is_some() => spot.path,
        Ok(spot) => format!("{} (free)", spot.path),
        Err(errno) => format!("{errno:?}"),
    }
}

#[test]
fn paths_lead_where_linux_leads() {
    let vfs = vfs();
    let long = "n".repeat(256);
    let table: Vec<String> = [
        "/",
        "//",
        "/..",
        "/../../a",
        "/a/./b//g",
        "/a/b/../f",
        "/rel/g",
        "/rel/..",
        "/up/f",
        "/a/b/out",
        "/f/",
        "/f/..",
        "/f/.",
        "/a/",
        "/rel/",
        "/dangling",
        "/dangling/x",
        "/new",
        "/new/",
        "/new/x",
        "/loop",
        "/ping",
        "/slashed",
        "",
        &long,
        &format!("{long}/x"),
    ]
    .iter()
    .map(|path| {
        format!(
            "{:.12} -> {} | {}",
            path,
            real(&vfs, path, Follow::Yes),
            real(&vfs, path, Follow::No)
        )
    })
    .collect();
    insta::assert_snapshot!(table.join("\n"), @"
    / -> / | /
    // -> / | /
    /.. -> / | /
    /../../a -> /a | /a
    /a/./b//g -> /a/b/g | /a/b/g
    /a/b/../f -> /a/f | /a/f
    /rel/g -> /a/b/g | /a/b/g
    /rel/.. -> /a | /a
    /up/f -> /a/f | /a/f
    /a/b/out -> /f | /a/b/out
    /f/ -> Enotdir | Enotdir
    /f/.. -> Enotdir | Enotdir
    /f/. -> Enotdir | Enotdir
    /a/ -> /a | /a
    /rel/ -> /a/b | /a/b
    /dangling -> /missing (free) | /dangling
    /dangling/x -> Enoent | Enoent
    /new -> /new (free) | /new (free)
    /new/ -> /new (free) | /new (free)
    /new/x -> Enoent | Enoent
    /loop -> Eloop | /loop
    /ping -> Eloop | /ping
    /slashed -> Enotdir | /slashed
     -> Enoent | Enoent
    nnnnnnnnnnnn -> Enametoolong | Enametoolong
    nnnnnnnnnnnn -> Enametoolong | Enametoolong
    ");
}

#[test]
fn forty_links_are_followed_and_not_one_more() {
    let mut vfs = vfs();
    let p = &Process::root();
    vfs.symlink(p, "/f", "/l1").unwrap();
    for n in 2..=41 {
        vfs.symlink(p, &format!("l{}", n - 1), &format!("/l{n}"))
            .unwrap();
    }
    assert_eq!(real(&vfs, "/l40", Follow::Yes), "/f");
    assert_eq!(real(&vfs, "/l41", Follow::Yes), "Eloop");
    assert_eq!(real(&vfs, "/l41", Follow::No), "/l41");
}

#[test]
fn relative_paths_begin_in_the_working_directory() {
    let mut vfs = vfs();
    let p = &Process {
        cwd: "/a/b".into(),
        ..Process::root()
    };
    assert_eq!(vfs.resolve(p, "../f", Follow::Yes).unwrap().path, "/a/f");
    vfs.write(p, "new", "".into()).unwrap();
    assert!(vfs.exists(p, "/a/b/new"));
}

#[test]
fn a_slash_behind_a_name_asks_for_a_directory() {
    let mut vfs = vfs();
    let p = &Process::root();
    let create = Flags {
        create: true,
        ..Flags::default()
    };
    assert_eq!(vfs.open(p, "/new/", create, 0o644), Err(Errno::Eisdir));
    assert_eq!(vfs.symlink(p, "f", "/new/"), Err(Errno::Enoent));
    assert_eq!(vfs.link(p, "/f", "/new/"), Err(Errno::Enoent));
    assert_eq!(vfs.rename(p, "/f", "/new/"), Err(Errno::Enotdir));
    assert_eq!(vfs.unlink(p, "/f/"), Err(Errno::Enotdir));
    vfs.mkdir(p, "/new/", 0o755).unwrap();
    vfs.rename(p, "/new/", "/newer/").unwrap();
    vfs.rmdir(p, "/newer/").unwrap();
}

#[test]
fn a_directory_is_not_taken_away_by_its_own_dots() {
    let mut vfs = vfs();
    let p = &Process::root();
    vfs.mkdir(p, "/a/b/empty", 0o755).unwrap();
    assert_eq!(vfs.rmdir(p, "/a/b/empty/."), Err(Errno::Einval));
    assert_eq!(vfs.rmdir(p, "/a/b/empty/.."), Err(Errno::Enotempty));
    assert_eq!(vfs.rename(p, "/a/b/empty/.", "/x"), Err(Errno::Ebusy));
    assert_eq!(vfs.rename(p, "/a", "/a/b/in"), Err(Errno::Einval));
    assert!(vfs.is_dir(p, "/a/b/empty"));
}

#[test]
fn a_mount_covers_what_is_there_until_it_is_taken_away() {
    let mut vfs = vfs();
    let p = &Process::root();
    let mut mounted = Vfs::new(Overlay::over(&Fs::empty(), Clock::at(Time(5_000))));
    mounted.write(p, "/inside", "".into()).unwrap();
    mounted.symlink(p, "/f", "/to-root").unwrap();
    let id = vfs.mount("/a/b", mounted.into_root(), Fs::ROOT, false);
    assert!(vfs.exists(p, "/a/b/inside") && !vfs.exists(p, "/a/b/g"));
    assert!(vfs.exists(p, "/rel/inside"), "through a link, too");
    assert_eq!(vfs.resolve(p, "/a/b/..", Follow::Yes).unwrap().path, "/a");
    assert_eq!(
        vfs.read(p, "/a/b/to-root").unwrap(),
        Content::from("/f"),
        "a link in it begins at the root of all"
    );
    assert_eq!(vfs.rmdir(p, "/a/b"), Err(Errno::Ebusy));
    assert_eq!(vfs.rename(p, "/a", "/z"), Err(Errno::Ebusy));
    assert_eq!(vfs.rename(p, "/f", "/a/b/f"), Err(Errno::Exdev));
    assert_eq!(vfs.link(p, "/f", "/a/b/f"), Err(Errno::Exdev));
    vfs.write(p, "/a/b/more", "".into()).unwrap();
    assert_eq!(vfs.unmount("/a/b"), Some(id));
    assert!(vfs.exists(p, "/a/b/g") && !vfs.exists(p, "/a/b/more"));
    assert!(vfs.overlay(id).fs().find("more").is_some());
}

#[test]
fn a_read_only_mount_takes_no_write() {
    let mut vfs = vfs();
    let p = &Process::root();
    let lower = vfs.root_fs().clone();
    let (sub, _) = lower.find("a").unwrap();
    let over = Overlay::over(&lower, Clock::at(Time(5_000)));
    vfs.mount("/open", over, sub, true);
    assert!(
        vfs.exists(p, "/open/b/g"),
        "the mount shows the directory a"
    );
    let outcomes = [
        vfs.write(p, "/open/f", "".into()).map(drop),
        vfs.write(p, "/open/new", "".into()).map(drop),
        vfs.mkdir(p, "/open/new", 0o755).map(drop),
        vfs.unlink(p, "/open/f"),
        vfs.rename(p, "/open/f", "/open/g"),
        vfs.link(p, "/open/f", "/open/g"),
        vfs.chmod(p, "/open/f", 0o600),
        vfs.chown(p, "/open/f", (Some(1), None), Follow::Yes),
        vfs.set_mtime(p, "/open/f", Time(1), Follow::Yes),
    ];
    assert_eq!(outcomes, [Err(Errno::Erofs); 9]);
}

#[test]
fn times_of_several_mounts_never_meet() {
    let mut vfs = vfs();
    let p = &Process::root();
    vfs.mount(
        "/open",
        Overlay::over(&Fs::empty(), Clock::at(Time(3))),
        Fs::ROOT,
        false,
    );
    let mut times = Vec::new();
    for path in ["/1", "/open/2", "/3", "/open/4"] {
        let handle = vfs.write(p, path, "".into()).unwrap();
        times.push(vfs.inode(handle).meta.mtime);
    }
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
}

#[test]
fn permissions_are_those_of_owner_then_group_then_others() {
    let meta = |mode| Meta {
        uid: 7,
        gid: 70,
        ..Meta::root(mode, Time::EPOCH)
    };
    let may = |uid, gid, mode: u32, want| user(uid, gid).cred.may(&meta(mode), want, false);
    assert!(may(7, 1, 0o600, 6) && !may(7, 1, 0o600, 1));
    assert!(
        !may(7, 70, 0o077, 4),
        "the owner is not looked up as group or other"
    );
    assert!(may(8, 70, 0o040, 4) && !may(8, 70, 0o604, 4));
    assert!(may(8, 71, 0o004, 4) && !may(8, 71, 0o660, 4));
    let supplementary = Meta {
        gid: 50,
        ..meta(0o040)
    };
    assert!(user(8, 71).cred.may(&supplementary, 4, false));
    assert!(Cred::ROOT.may(&meta(0), 6, false));
    assert!(
        !Cred::ROOT.may(&meta(0o666), 1, false),
        "nobody may execute it"
    );
    assert!(Cred::ROOT.may(&meta(0), 1, true));
}

#[test]
fn users_are_stopped_where_root_is_not() {
    let mut vfs = vfs();
    let (root, p) = (&Process::root(), &user(7, 70));
    vfs.write(root, "/closed/secret", "".into()).unwrap();
    vfs.write(root, "/private", "".into()).unwrap();
    vfs.chmod(root, "/private", 0o600).unwrap();
    let null = vfs.make(root, "/dev", Kind::CharDevice(1, 3), 0o600);
    null.unwrap();
    assert_eq!(
        vfs.stat(p, "/closed/secret", Follow::Yes),
        Err(Errno::Eacces)
    );
    assert_eq!(vfs.read_dir(p, "/closed"), Err(Errno::Eacces));
    assert_eq!(vfs.read(p, "/private"), Err(Errno::Eacces));
    assert_eq!(vfs.write(p, "/f", "".into()), Err(Errno::Eacces));
    assert_eq!(vfs.write(p, "/dev", "".into()), Err(Errno::Eacces));
    assert_eq!(vfs.write(p, "/new", "".into()), Err(Errno::Eacces));
    assert_eq!(vfs.unlink(p, "/f"), Err(Errno::Eacces));
    assert_eq!(vfs.chmod(p, "/f", 0o777), Err(Errno::Eperm));
    assert_eq!(
        vfs.set_mtime(p, "/f", Time(1), Follow::Yes),
        Err(Errno::Eperm)
    );
    // Who owns the directory takes others' files away, but does not write to them.
    vfs.unlink(p, "/open/x").unwrap_err();
    vfs.write(root, "/open/x", "".into()).unwrap();
    assert_eq!(vfs.write(p, "/open/x", "".into()), Err(Errno::Eacces));
    vfs.unlink(p, "/open/x").unwrap();
    // A directory moves to another parent only if it may be written to.
    vfs.mkdir(root, "/open/roots", 0o755).unwrap();
    vfs.mkdir(p, "/open/mine", 0o755).unwrap();
    vfs.rename(p, "/open/roots", "/open/renamed").unwrap();
    assert_eq!(
        vfs.rename(p, "/open/renamed", "/open/mine/in"),
        Err(Errno::Eacces)
    );
}

#[test]
fn in_a_sticky_directory_each_removes_what_is_theirs() {
    let mut vfs = vfs();
    let (root, p, q) = (&Process::root(), &user(7, 70), &user(8, 80));
    vfs.write(p, "/tmp/p", "".into()).unwrap();
    vfs.write(q, "/tmp/q", "".into()).unwrap();
    assert_eq!(vfs.unlink(q, "/tmp/p"), Err(Errno::Eperm));
    assert_eq!(vfs.rename(q, "/tmp/p", "/tmp/x"), Err(Errno::Eperm));
    assert_eq!(vfs.rename(q, "/tmp/q", "/tmp/p"), Err(Errno::Eperm));
    vfs.rename(q, "/tmp/q", "/tmp/x").unwrap();
    vfs.unlink(p, "/tmp/p").unwrap();
    vfs.unlink(root, "/tmp/x").unwrap();
}

#[test]
fn owners_change_modes_and_groups_as_far_as_they_may() {
    let mut vfs = vfs();
    let (root, p) = (&Process::root(), &user(7, 70));
    let mode = |vfs: &Vfs| {
        let handle = vfs.stat(root, "/open/x", Follow::Yes).unwrap();
        let meta = &vfs.inode(handle).meta;
        (meta.mode, meta.uid, meta.gid)
    };
    vfs.write(p, "/open/x", "".into()).unwrap();
    assert_eq!(mode(&vfs), (0o644, 7, 70));
    vfs.chmod(p, "/open/x", 0o6755).unwrap();
    assert_eq!(mode(&vfs), (0o6755, 7, 70));
    assert_eq!(
        vfs.chown(p, "/open/x", (Some(8), None), Follow::Yes),
        Err(Errno::Eperm)
    );
    assert_eq!(
        vfs.chown(p, "/open/x", (None, Some(51)), Follow::Yes),
        Err(Errno::Eperm)
    );
    vfs.chown(p, "/open/x", (Some(7), Some(50)), Follow::Yes)
        .unwrap();
    assert_eq!(mode(&vfs), (0o755, 7, 50), "set-ID bits go");
    vfs.chown(root, "/open/x", (None, Some(51)), Follow::Yes)
        .unwrap();
    vfs.chmod(p, "/open/x", 0o2755).unwrap();
    assert_eq!(mode(&vfs), (0o755, 7, 51), "not in the group");
}

#[test]
fn new_nodes_get_owner_mask_and_the_group_of_a_setgid_directory() {
    let mut vfs = vfs();
    let (root, p) = (&Process::root(), &user(7, 70));
    vfs.chown(root, "/open", (None, Some(90)), Follow::Yes)
        .unwrap();
    vfs.chmod(root, "/open", 0o2777).unwrap();
    let private = Process {
        umask: 0o077,
        ..p.clone()
    };
    let meta = |vfs: &Vfs, handle: Handle| {
        let meta = &vfs.inode(handle).meta;
        (meta.mode, meta.uid, meta.gid)
    };
    let file = vfs.write(&private, "/open/f", "".into()).unwrap();
    let dir = vfs.mkdir(p, "/open/d", 0o777).unwrap();
    let link = vfs.symlink(&private, "f", "/open/l").unwrap();
    assert_eq!(meta(&vfs, file), (0o600, 7, 90));
    assert_eq!(meta(&vfs, dir), (0o2755, 7, 90));
    assert_eq!(meta(&vfs, link), (0o777, 7, 90));
}

#[test]
fn an_open_file_outlives_its_name() {
    let mut vfs = vfs();
    let p = &Process::root();
    let handle = vfs.open(p, "/f", Flags::default(), 0).unwrap();
    vfs.unlink(p, "/f").unwrap();
    vfs.append_handle(handle, b"!").unwrap();
    assert_eq!(vfs.inode(handle).file(), Some(&Content::from("/f!")));
    let fs = vfs.into_root().commit();
    assert!(fs.find("f").is_none() && fs.get(handle.ino).is_none());
}
