//! `docker cp`.

use super::{Command, Done, Flags, Job, Wrong, refused};
use crate::build::process::real_path;
use crate::context::{Context, Edit};
use crate::fs::{
    Change, Fs, Ino, Inode, Kind, Meta, Overlay, Reason, Time, base_name, clean, join, parent,
};
use crate::image::write_layer;

pub(super) const COMMANDS: &[Command] = &[CP];

const CP: Command = Command {
    words: &["cp"],
    usage: "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tdocker cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
    flags: &[
        (Some('a'), "archive", false),
        (Some('L'), "follow-link", false),
        (Some('q'), "quiet", false),
    ],
    rest_is_literal: false,
    run: copy,
};

fn copy(job: &mut Job<'_>, flags: &Flags) -> Done {
    let (from, to) = flags.two(&CP)?;
    let split = |text: &str| match text.split_once(':') {
        Some((container, path)) if !text.starts_with(['/', '.']) => {
            Some((container.to_string(), path.to_string()))
        }
        _ => None,
    };
    match (split(from), split(to)) {
        (Some((container, path)), None) => out_of(job, &container, &path, to, flags),
        (None, Some((container, path))) => into(job, from, &container, &path),
        (Some(_), Some(_)) => Err(plain("copying between containers is not supported")),
        (None, None) => Err(plain("must specify at least one container source")),
    }
}

fn plain(why: impl std::fmt::Display) -> Wrong {
    Wrong::Status(format!("{why}\n"), 1)
}

/// Whether the path asks for what is in a directory rather than for it.
fn wants_content(path: &str) -> bool {
    path == "." || path.ends_with("/.")
}

fn into(job: &mut Job<'_>, from: &str, container: &str, path: &str) -> Done {
    let desktop = &mut *job.desktop;
    let files = desktop.files.fs().clone();
    let Some((ino, inode)) = files.find(&clean(from)) else {
        let dir = &desktop.dir;
        return Err(plain(format!(
            "lstat {dir}{}: no such file or directory",
            clean(from)
        )));
    };
    let (target, clock) = desktop.daemon.container_mut(container).map_err(refused)?;
    let wanted = real_path(target.fs(), path).map_err(refused)?;
    let there = target.fs().find(&wanted).map(|(_, inode)| inode.is_dir());
    let content = wants_content(from) && inode.is_dir();
    let dest = match there {
        Some(true) if !content => join(&wanted, base_name(&clean(from))),
        None if path.ends_with('/') && !inode.is_dir() => {
            return Err(plain(format!("no such directory: {container}:{path}")));
        }
        _ => wanted,
    };
    if there == Some(false) && inode.is_dir() {
        return Err(plain("cannot copy directory to a file"));
    }
    if target.fs().find(&parent(&dest)).is_none() {
        let what = format!(
            "Could not find the file {} in container {container}",
            parent(&dest)
        );
        return Err(refused(what));
    }
    let done = target.edit(clock, |rw| lay(&files, ino, &dest, rw, content));
    done.map_err(refused)
}

/// Lays a node with all below it over what is at a real path. It belongs to root then.
fn lay(files: &Fs, ino: Ino, dest: &str, rw: &mut Overlay, keeps_top: bool) -> Result<(), String> {
    let inode = files.inode(ino);
    let name = base_name(dest);
    let meta = Meta {
        uid: 0,
        gid: 0,
        mtime: Time::from_secs(inode.meta.mtime.secs()),
        ..inode.meta.clone()
    };
    let wrong = |errno: crate::fs::Errno| format!("{dest}: {errno}");
    let made = if name.is_empty() {
        Fs::ROOT
    } else {
        let dir = rw.fs().find(&parent(dest)).map(|(ino, _)| ino);
        let dir = dir.ok_or_else(|| format!("no such directory: {}", parent(dest)))?;
        let there = rw.fs().child(dir, name);
        let both = inode.is_dir() && there.is_some_and(|ino| rw.fs().inode(ino).is_dir());
        if there.is_some() && !both {
            rw.remove_all(dir, name).map_err(wrong)?;
        }
        let kind = match inode.is_dir() {
            true => Kind::empty_dir(),
            false => inode.kind.clone(),
        };
        match both {
            true => rw.copy_up(dir, name).map_err(wrong)?,
            false => rw.create(dir, name, kind, meta.clone()).map_err(wrong)?,
        }
    };
    for (name, child) in inode.dir().into_iter().flat_map(|dir| dir.iter()) {
        lay(files, *child, &join(dest, name), rw, false)?;
    }
    if made != Fs::ROOT && !keeps_top {
        rw.set_meta(made, |old| *old = meta);
    }
    Ok(())
}

fn out_of(job: &mut Job<'_>, container: &str, path: &str, to: &str, flags: &Flags) -> Done {
    let found = job
        .desktop
        .daemon
        .find_container(container)
        .map_err(refused)?;
    let fs = found.fs().clone();
    let missing = || {
        refused(format!(
            "Could not find the file {path} in container {container}"
        ))
    };
    let real = match flags.on("follow-link") || path.ends_with('/') {
        true => real_path(&fs, path),
        false => real_path(&fs, &parent(path)).map(|dir| join(&dir, base_name(path))),
    };
    let real = real.map_err(refused)?;
    let (ino, inode) = fs.find(&real).ok_or_else(missing)?;
    let content = wants_content(path) && inode.is_dir();
    if to == "-" {
        let top = if content { "" } else { base_name(&real) };
        job.raw = archive(&fs, ino, top).map_err(|error| plain(error.to_string()))?;
        return Ok(());
    }
    let files = &mut job.desktop.files;
    let there = files.fs().find(&clean(to)).map(|(_, inode)| inode.is_dir());
    let dest = match there {
        Some(true) if !content => join(&clean(to), base_name(&real)),
        _ => clean(to),
    };
    put(files, &fs, inode, &dest).map_err(plain)
}

/// Writes a node with all below it into the user's files.
fn put(files: &mut Context, fs: &Fs, inode: &Inode, dest: &str) -> Result<(), String> {
    let path = dest.trim_start_matches('/').to_string();
    let mode = Some(inode.meta.mode);
    let edit = match &inode.kind {
        Kind::File(content) => Edit::Write {
            path: path.clone(),
            content: content.clone(),
            mode,
        },
        Kind::Dir(_) => Edit::Mkdir {
            path: path.clone(),
            mode,
        },
        Kind::Symlink(target) => Edit::Symlink {
            path: path.clone(),
            target: target.to_string(),
        },
        _ => return Err(format!("{dest}: operation not permitted")),
    };
    files.edit(&edit).map_err(|error| error.to_string())?;
    for (name, child) in inode.dir().into_iter().flat_map(|dir| dir.iter()) {
        put(files, fs, fs.inode(*child), &join(dest, name))?;
    }
    let mtime = inode.meta.mtime;
    match inode.link_target() {
        Some(_) => Ok(()),
        None => files
            .edit(&Edit::Touch { path, mtime })
            .map_err(|error| error.to_string()),
    }
}

/// A tar of a node and all below it, called `top`; of what is below alone without a name.
pub(super) fn archive(fs: &Fs, ino: Ino, top: &str) -> std::io::Result<Vec<u8>> {
    let mut changes: Vec<Change> = Vec::new();
    let mut names: Vec<(Ino, String)> = Vec::new();
    let mut add = |path: String, ino: Ino| {
        let inode = fs.inode(ino).clone();
        let known = names.iter().find(|(known, _)| *known == ino);
        let hard_link = known.map(|(_, first)| first.clone());
        if hard_link.is_none() && inode.nlink() > 1 && !inode.is_dir() {
            names.push((ino, path.clone()));
        }
        changes.push(Change::Put {
            path,
            inode,
            hard_link,
            reason: Reason::Added,
        });
    };
    if !top.is_empty() {
        add(top.to_string(), ino);
    }
    for entry in fs.walk(ino) {
        let path = match top {
            "" => entry.path,
            top => format!("{top}/{}", entry.path),
        };
        add(path, entry.ino);
    }
    let mut out = Vec::new();
    write_layer(&changes, None, &mut out)?;
    Ok(out)
}
