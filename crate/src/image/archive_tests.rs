use serde_json::json;
use tar::{Builder, EntryType, Header};

use super::*;
use crate::fs::{Clock, Fs, Overlay, Process, Time, Vfs, diff};

fn fs(lower: &Fs, files: &[&str]) -> Fs {
    let now = Time(1_500 + 1_000_000 * i64::from(lower.layer()));
    let mut vfs = Vfs::new(Overlay::over(lower, Clock::at(now)));
    for path in files {
        vfs.write(&Process::root(), path, (*path).into()).unwrap();
    }
    vfs.into_root().commit()
}

fn image() -> Image {
    let below = fs(&Fs::empty(), &["/a", "/b"]);
    let above = fs(&below, &["/b", "/c"]);
    let layers = vec![
        Layer::from_changes(diff(&Fs::empty(), &below), None),
        Layer::from_changes(diff(&below, &above), Some(Time::EPOCH)),
    ];
    let mut config = ImageConfig::scratch("linux", "amd64", None);
    config.config.cmd = vec!["/a".into()];
    Image::from_parts(config, layers, vec![below, above])
}

#[test]
fn what_is_written_is_read() {
    for format in [Format::Oci, Format::Docker] {
        let image = image();
        let archive = write_archive(&image, format, "app").unwrap();
        let loaded = read_archive(&archive).unwrap();
        assert_eq!(loaded.len(), 1);
        assert_eq!(loaded[0].names, ["app:latest"]);
        let read = &loaded[0].image;
        assert_eq!(read.manifest_digest(), image.manifest_digest());
        assert_eq!(read.fs().read_text("b").as_deref(), Some("/b"));
        assert_eq!(validate(read), []);
        assert_eq!(write_archive(read, format, "app").unwrap(), archive);
    }
}

fn archive(files: &[(&str, &[u8])], links: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, *bytes).unwrap();
    }
    for (path, target) in links {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
        tar.append_link(&mut header, path, target).unwrap();
    }
    tar.into_inner().unwrap()
}

#[test]
fn a_layer_of_another_program_keeps_its_bytes() {
    // GNU headers and blocks of ten kibibytes: not how layers are written here.
    let layer = archive(&[("a", b"1")], &[]);
    let diff_id = Digest::of(&layer);
    let config = json!({
        "architecture": "amd64", "os": "linux", "docker_version": "20.10",
        "config": {"Cmd": ["sh"], "Volumes": null}, "container": "x",
        "rootfs": {"type": "layers", "diff_ids": [diff_id, diff_id]},
    });
    let config = config.to_string();
    let list = json!([{
        "Config": "c.json", "RepoTags": null, "Layers": ["1/layer.tar", "2/layer.tar"],
    }]);
    let saved = archive(
        &[
            ("c.json", config.as_bytes()),
            ("1/layer.tar", &layer),
            ("manifest.json", list.to_string().as_bytes()),
        ],
        &[("2/layer.tar", "../1/layer.tar")],
    );
    let loaded = read_archive(&saved).unwrap();
    let image = &loaded[0].image;
    assert_eq!(loaded[0].names, [""; 0]);
    assert_eq!(image.id(), Digest::of(config.as_bytes()));
    assert_eq!(image.layers[1].diff_id, diff_id);
    assert_eq!(image.layers[0].tar().unwrap(), layer);
    assert_eq!(validate(image), []);
}

#[test]
fn what_does_not_hold_together_is_refused() {
    let error = |files: &[(&str, &[u8])]| {
        read_archive(&archive(files, &[]))
            .map(|loaded| loaded.len())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error(&[("a", b"")]),
        "the archive holds no image: it has neither `index.json` nor `manifest.json`"
    );
    assert_eq!(
        error(&[("manifest.json", br#"[{"Config": "c"}]"#)]),
        "`c` is missing in the archive"
    );
    assert!(error(&[("index.json", b"{}")]).starts_with("index.json: missing field"));

    let sound = write_archive(&image(), Format::Oci, "app").unwrap();
    let config = image().config_json;
    let at = sound
        .windows(config.len())
        .position(|window| *window == *config)
        .unwrap();
    let mut forged = sound.clone();
    forged[at + 20] ^= 1;
    let error = read_archive(&forged).unwrap_err();
    assert!(matches!(error, ArchiveError::Digest { .. }), "{error}");
    assert!(read_archive(&sound[..sound.len() / 2]).is_err());
}
