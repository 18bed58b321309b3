use std::collections::BTreeMap;

use serde_json::{Value, json};
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

/// With a layer that comes twice: the same blob.
fn stacked() -> Image {
    let image = image();
    let layers = [&image.layers[..], &image.layers[..1]].concat();
    Image::new(ImageConfig::scratch("linux", "arm64", Some("v8")), layers).unwrap()
}

/// The files of an archive, as a plain tar reader sees them, in order.
fn files(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    for entry in tar::Archive::new(archive).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        out.push((String::from_utf8(entry.path_bytes().into()).unwrap(), bytes));
    }
    out
}

fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn an_oci_layout_is_found_from_its_index_to_its_layers() {
    let image = stacked();
    let archive = write_archive(&image, Format::Oci, "app").unwrap();
    let files = files(&archive);
    let by_path: BTreeMap<&str, &[u8]> = files
        .iter()
        .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
        .collect();
    assert_eq!(by_path.len(), files.len(), "no path comes twice");
    assert_eq!(parsed(by_path["oci-layout"])["imageLayoutVersion"], "1.0.0");
    assert!(!by_path.contains_key("manifest.json"));
    let blob = |descriptor: &Descriptor| {
        let bytes = by_path[format!("blobs/sha256/{}", descriptor.digest.hex()).as_str()];
        assert_eq!(Digest::of(bytes), descriptor.digest);
        assert_eq!(bytes.len() as u64, descriptor.size);
        bytes
    };
    let index: Index = serde_json::from_slice(by_path["index.json"]).unwrap();
    let [descriptor] = &index.manifests[..] else {
        panic!("one image")
    };
    assert_eq!(descriptor.digest, image.manifest_digest());
    assert_eq!(
        descriptor.annotations["io.containerd.image.name"],
        "docker.io/library/app:latest"
    );
    let manifest: Manifest = serde_json::from_slice(blob(descriptor)).unwrap();
    assert_eq!(manifest, image.manifest());
    let config = blob(&manifest.config);
    assert_eq!(Digest::of(config), image.id());
    // All blobs are named by something.
    let blobs = files
        .iter()
        .filter(|(path, bytes)| path.starts_with("blobs/sha256/") && !bytes.is_empty());
    assert_eq!(blobs.count(), 1 + 1 + 2);
}

#[test]
fn what_docker_loads_lists_config_and_layers() {
    let image = stacked();
    let archive = write_archive(&image, Format::Docker, "app").unwrap();
    let files: BTreeMap<_, _> = files(&archive).into_iter().collect();
    let list = parsed(&files["manifest.json"]);
    assert_eq!(list[0]["RepoTags"][0], "app:latest");
    let config = &files[list[0]["Config"].as_str().unwrap()];
    assert_eq!(&config[..], &image.config_json[..]);
    let layers = list[0]["Layers"].as_array().unwrap();
    assert_eq!(layers.len(), 3);
    for (path, layer) in layers.iter().zip(&image.layers) {
        assert_eq!(files[path.as_str().unwrap()], layer.tar().unwrap());
    }
    // The same layout besides.
    let oci = self::files(&write_archive(&image, Format::Oci, "app").unwrap());
    assert!(oci.iter().all(|(path, bytes)| files[path] == *bytes));
    assert_eq!(files.len(), oci.len() + 1);
}

#[test]
fn an_image_without_layers_is_an_archive_too() {
    let image = Image::new(ImageConfig::scratch("linux", "amd64", None), Vec::new()).unwrap();
    let files: BTreeMap<_, _> = files(&write_archive(&image, Format::Docker, "none").unwrap())
        .into_iter()
        .collect();
    let list = parsed(&files["manifest.json"]);
    assert_eq!(list[0]["Layers"], Value::Array(Vec::new()));
}

#[test]
fn archives_are_the_same_bytes_everywhere() {
    let digest = |format| Digest::of(&write_archive(&stacked(), format, "app").unwrap());
    insta::assert_snapshot!(digest(Format::Oci), @"sha256:0343c493feec26aca94c26d813cc830be277b51b128d7f09b45e6cc832ee671f");
    insta::assert_snapshot!(digest(Format::Docker), @"sha256:dc4ff08d9e676e11e89dfde0b187cc443706a8485da6709ab8c12844e1b90722");
}

#[test]
fn bytes_that_are_not_held_are_not_written() {
    let declared = Layer::declared(Digest::of(b"elsewhere"), 5, []);
    let image = Image::new(ImageConfig::default(), vec![declared]).unwrap();
    let error = write_archive(&image, Format::Oci, "app").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
}
