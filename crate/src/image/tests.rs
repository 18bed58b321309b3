//! The cases with a digest were recorded from BuildKit.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::fs::{Change, Inode, Kind, Meta, Reason, Time};

fn put(path: &str, kind: Kind, mode: u32) -> Change {
    let inode = Arc::new(Inode::new(kind, Meta::root(mode, Time(7_000_000_001))));
    Change::Put {
        path: path.into(),
        inode,
        hard_link: None,
        reason: Reason::Added,
    }
}

fn file(path: &str, text: &str) -> Change {
    put(path, Kind::File(text.into()), 0o644)
}

fn dir(path: &str) -> Change {
    put(path, Kind::empty_dir(), 0o755)
}

fn link(path: &str, target: &str) -> Change {
    put(path, Kind::Symlink(target.into()), 0o777)
}

fn layer(changes: Vec<Change>) -> Layer {
    Layer::from_changes(changes, Some(Time::EPOCH))
}

/// Each 512-byte header of the tar, as type and the text in it.
fn headers(layer: &Layer) -> Vec<String> {
    let tar = layer.tar().unwrap();
    let text = |bytes: &[u8]| {
        let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    };
    let mut out = Vec::new();
    let mut at = 0;
    while at + 1024 < tar.len() {
        let header = &tar[at..at + 512];
        let size = usize::from_str_radix(&text(&header[124..136]), 8).unwrap();
        let kind = char::from(header[156]);
        let mut line = format!("{kind} {}", text(&header[..100]));
        for part in [&header[157..257], &header[345..500]] {
            if part[0] != 0 {
                line += &format!(" | {}", text(part));
            }
        }
        if kind == 'x' {
            line += &format!(": {:?}", text(&tar[at + 512..at + 512 + size]));
        }
        out.push(short(&line));
        at += 512 + size.div_ceil(512) * 512;
    }
    out
}

/// Long runs of a letter as the letter and how many.
fn short(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let run = rest.chars().take_while(|d| *d == c).count();
        if run > 9 {
            out += &format!("{c}*{run}");
        } else {
            out += &rest[..run * c.len_utf8()];
        }
        rest = &rest[run * c.len_utf8()..];
    }
    out
}

#[test]
fn the_empty_layer() {
    let layer = layer(Vec::new());
    assert_eq!(layer.size, 1024);
    assert_eq!(layer.tar().unwrap(), [0; 1024]);
    assert_eq!(
        layer.diff_id.to_string(),
        "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
    );
}

#[test]
fn one_small_file() {
    let layer = layer(vec![file("a.txt", "a\n")]);
    assert_eq!(layer.size, 2048);
    assert_eq!(layer.content_size, 2);
    assert_eq!(
        layer.diff_id.to_string(),
        "sha256:3bfb3e44937a6b0a34ed1e4ac67a6ebfd2eb5e7492085674aab680a1557d1c99"
    );
}

#[test]
fn long_and_foreign_names() {
    let long = format!("{}/{}", "d".repeat(80), "f".repeat(90));
    let too_long = format!("{}/{}", "d".repeat(20), "f".repeat(101));
    insta::assert_debug_snapshot!(
        headers(&layer(vec![
            dir("é"),
            file(&long, ""),
            file(&too_long, ""),
            link(&long, "ü"),
            link("to", &"t".repeat(101)),
            link("fits", &"t".repeat(100)),
        ])),
        @r#"
    [
        "x /PaxHeaders.0: \"12 path=é/\\n\"",
        "5 /",
        "0 f*90 | d*80",
        "x d*20/PaxHeaders.0/f*66: \"132 path=d*20/f*101\\n\"",
        "0 d*20/f*79",
        "x d*80/PaxHeaders.0/ffffff: \"15 linkpath=ü\\n181 path=d*80/f*90\\n\"",
        "2 d*80/f*19",
        "x PaxHeaders.0/to: \"115 linkpath=t*101\\n\"",
        "2 to | t*100",
        "2 fits | t*100",
    ]
    "#
    );
}

#[test]
fn numbers_that_fit_no_field() {
    let mut meta = Meta::root(0o4755, Time::from_secs(-1));
    meta.uid = 3_000_000;
    meta.xattrs = Some(Arc::new(BTreeMap::from([(
        "user.x".to_string(),
        b"a\nb\0".to_vec(),
    )])));
    let change = Change::Put {
        path: "f".into(),
        inode: Arc::new(Inode::new(Kind::Fifo, meta.clone())),
        hard_link: None,
        reason: Reason::Added,
    };
    let layer = layer(vec![change]);
    let read = read_tar(&layer.tar().unwrap()).unwrap();
    let TarNode::Inode(inode) = &read[0].node else {
        panic!("a node was written")
    };
    assert_eq!(inode.meta, meta);
}

fn metadata(created_by: &str) -> History {
    History {
        created: Some("1970-01-01T00:00:00Z".into()),
        created_by: created_by.into(),
        comment: "buildkit.dockerfile.v0".into(),
        empty_layer: true,
        ..History::default()
    }
}

#[test]
fn configs_and_manifests_without_layers() {
    let mut config = ImageConfig::scratch("linux", "amd64", None);
    config.config.working_dir = "/".into();
    config.config.env =
        vec!["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into()];
    let ids = |config: ImageConfig| {
        let image = Image::new(config, Vec::new()).unwrap();
        [image.id().short(), image.manifest_digest().short()]
    };
    // FROM scratch
    assert_eq!(ids(config.clone()), ["471a1b8817ee", "6cddc7c291e3"]);
    // ENV A=1
    config.config.env.push("A=1".into());
    config.created = Some("1970-01-01T00:00:00Z".into());
    config.history = vec![metadata("ENV A=1")];
    assert_eq!(ids(config.clone()), ["7a6b5e34c3c2", "f0636146dc06"]);
    // WORKDIR / and CMD ["/a"]
    config.config.env.pop();
    config.config.cmd = vec!["/a".into()];
    config.config.args_escaped = true;
    config.history = vec![metadata("WORKDIR /"), metadata("CMD [\"/a\"]")];
    assert_eq!(ids(config), ["85eb86783d91", "13dde3634131"]);
}

#[test]
fn a_config_of_another_program_is_understood() {
    let config: ImageConfig = serde_json::from_str(
        r#"{"os": "linux", "architecture": "arm64", "variant": "v8", "container_config": {},
            "config": {"Hostname": "", "Entrypoint": null, "ExposedPorts": {"80/tcp": {}},
                "Volumes": null, "Labels": {"b": "<&>", "a": ""}, "Cmd": ["x"],
                "Healthcheck": {"Test": ["NONE"], "Interval": 5}, "OnBuild": []},
            "history": null, "rootfs": {"type": "layers", "diff_ids": null}}"#,
    )
    .unwrap();
    insta::assert_snapshot!(String::from_utf8(config.to_json_bytes()).unwrap(), @r#"{"architecture":"arm64","config":{"ExposedPorts":{"80/tcp":{}},"Cmd":["x"],"Labels":{"a":"","b":"\u003c\u0026\u003e"},"Healthcheck":{"Test":["NONE"],"Interval":5}},"created":null,"history":null,"os":"linux","rootfs":{"type":"layers","diff_ids":null},"variant":"v8"}"#);
    let broken: Result<ImageConfig, _> = serde_json::from_str("{\"os\": \"linux\"}");
    assert!(broken.is_err());
}
