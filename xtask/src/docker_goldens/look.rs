//! Looking at what no command prints.

use std::collections::{BTreeMap, BTreeSet};

use layerwise::cli::Desktop;
use layerwise::fs::{Change, Fs, Inode, Kind, apply};
use layerwise::image::{Image, Layer, TarNode, Upper, read_tar, waste};
use serde_json::{Map, Value, json};

use super::names::Names;

/// Times before this were authored; all others are the present.
const LONG_AGO: i64 = super::edit::OLD + 86_400 * 365 * 2;
/// The longest text that is shown.
const SHOWN: u64 = 200;

/// What a look sees.
///
/// # Errors
/// It cannot be done.
pub fn look(
    step: &Value,
    desktop: &mut Desktop,
    base: &Image,
    names: &mut Names,
) -> Result<Value, String> {
    let text = |key: &str| step[key].as_str().unwrap_or_default();
    match text("look") {
        "config" => config(desktop, text("image"), names),
        "layers" => layers(desktop, text("image"), base, names),
        "archive" => archive(desktop, text("file"), names),
        "dive" => dive(desktop, text("image"), names),
        "oci" => oci(desktop, text("image"), base, names),
        "stored" => on_disk(desktop, step, names),
        "tar" => tar(desktop, step, base, names),
        "upper" => upper(desktop, text("container"), names),
        other => Err(format!("a look at {other} is not simulated")),
    }
}

fn inspect(desktop: &mut Desktop, kind: &str, name: &str) -> Result<Value, String> {
    let words = ["docker", kind, "inspect", name].map(String::from);
    let answer = desktop.run(&words, &[]).map_err(|e| format!("{e:?}"))?;
    let mut found: Value = serde_json::from_slice(&answer.stdout)
        .map_err(|_| format!("{kind} {name}: {}", answer.stderr))?;
    match found.get_mut(0) {
        Some(found) => Ok(found.take()),
        None => Err(answer.stderr),
    }
}

fn config(desktop: &mut Desktop, image: &str, names: &mut Names) -> Result<Value, String> {
    const LEFT_OUT: [&str; 9] = [
        "Hostname",
        "Domainname",
        "Image",
        "AttachStdin",
        "AttachStdout",
        "AttachStderr",
        "Tty",
        "OpenStdin",
        "StdinOnce",
    ];
    let found = inspect(desktop, "image", image)?;
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    let fields = found["Config"].as_object().into_iter().flatten();
    let kept = fields.filter(|(key, value)| !LEFT_OUT.contains(&key.as_str()) && !empty(value));
    let config: Map<String, Value> = kept.map(|(k, v)| (k.clone(), v.clone())).collect();
    Ok(names.deep(&json!({
        "Id": found["Id"],
        "RepoTags": found["RepoTags"],
        "RepoDigests": found["RepoDigests"],
        "Parent": found["Parent"],
        "Comment": found["Comment"],
        "Author": found["Author"],
        "Config": config,
        "ContainerConfig.Cmd": found["ContainerConfig"]["Cmd"],
        "Architecture": found["Architecture"],
        "Os": found["Os"],
        "Size": found["Size"],
        "Layers": found["RootFS"]["Layers"],
    })))
}

fn layers(desktop: &Desktop, name: &str, base: &Image, names: &mut Names) -> Result<Value, String> {
    let image = desktop.daemon.find_image(name)?;
    let below: BTreeSet<_> = base.layers.iter().map(|layer| layer.diff_id).collect();
    let mut out = Vec::new();
    for layer in &image.image.layers {
        let mut shown = json!({"diff_id": names.text(&layer.diff_id.to_string())});
        if !below.contains(&layer.diff_id) {
            let tar = layer.tar().map_err(|error| error.to_string())?;
            shown["entries"] = entries(&tar, names)?;
        }
        out.push(shown);
    }
    Ok(Value::Array(out))
}

/// What is in an archive of `docker save`.
fn archive(desktop: &Desktop, path: &str, names: &mut Names) -> Result<Value, String> {
    let (_, ino) = desktop.files.fs().follow(path).map_err(|e| e.to_string())?;
    let content = desktop
        .files
        .fs()
        .inode(ino)
        .file()
        .ok_or("it is no file")?;
    let entries = read_tar(content.bytes()).map_err(|error| error.to_string())?;
    let text = |wanted: &str| {
        let entry = entries.iter().find(|entry| entry.path == wanted)?;
        match &entry.node {
            TarNode::Inode(inode) => {
                Some(String::from_utf8_lossy(inode.file()?.bytes()).into_owned())
            }
            TarNode::HardLink(_) => None,
        }
    };
    let json_at = |wanted: &str| -> Value {
        let text = text(wanted).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    };
    let manifest = json_at("manifest.json");
    // IDs get their numbers in the order of the layers.
    for image in manifest.as_array().into_iter().flatten() {
        for layer in image["Layers"].as_array().into_iter().flatten() {
            names.text(layer.as_str().unwrap_or_default());
        }
        names.text(image["Config"].as_str().unwrap_or_default());
    }
    let mut out = json!({"manifest.json": names.deep(&manifest)});
    if text("repositories").is_some() {
        out["repositories"] = names.deep(&json_at("repositories"));
    }
    let mut rows = Vec::new();
    let (mut versions, mut parents) = (BTreeSet::new(), BTreeMap::new());
    for entry in &entries {
        let TarNode::Inode(inode) = &entry.node else {
            continue;
        };
        let mut row = names.text(&entry.path);
        if inode.is_dir() {
            row.push('/');
            let folder = &entry.path;
            versions.extend(text(&format!("{folder}/VERSION")));
            let metadata = json_at(&format!("{folder}/json"));
            let fields = metadata.as_object().cloned().unwrap_or_default();
            let keys: BTreeSet<&String> = fields.keys().collect();
            let parent = fields.get("parent").and_then(Value::as_str);
            let parent = parent.map(|parent| names.text(parent));
            let shown = json!({"parent": parent, "keys": keys});
            parents.insert(names.text(folder), shown);
        }
        if let Some(target) = inode.link_target() {
            row += &format!(" -> {}", names.text(target));
        }
        if inode.meta.mtime.secs() == 0 {
            row += " (mtime 0)";
        }
        rows.push(row);
    }
    rows.sort();
    out["entries"] = json!(rows);
    out["VERSION"] = json!(versions);
    out["json"] = json!(parents);
    Ok(out)
}

/// What dive says of an image, and its rules at their defaults.
fn dive(desktop: &Desktop, name: &str, names: &mut Names) -> Result<Value, String> {
    const LEAST_EFFICIENCY: f64 = 0.9;
    const MOST_WASTED: f64 = 0.1;
    let image = desktop.daemon.find_image(name)?;
    let found = waste(&image.image.layers);
    let steps = image.image.config.history.iter();
    let steps = steps.filter(|step| !step.empty_layer);
    let layers: Vec<Value> = found
        .layers
        .iter()
        .zip(steps)
        .map(|(layer, step)| {
            let command = step.created_by.as_str();
            let command = command.strip_prefix("/bin/sh -c ").unwrap_or(command);
            json!({
                "sizeBytes": layer.bytes,
                "command": names.text(command),
                "files": layer.entries,
            })
        })
        .collect();
    let (share, wasted) = (found.of_user_bytes(), found.wasted());
    let user = match share > MOST_WASTED {
        true => format!(
            "FAIL: highestUserWastedPercent: too many bytes wasted, relative to the user bytes \
             added (%-user-wasted-bytes={share} > threshold={MOST_WASTED})"
        ),
        false => "PASS: highestUserWastedPercent".into(),
    };
    let efficiency = match found.efficiency < LEAST_EFFICIENCY {
        true => format!(
            "FAIL: lowestEfficiency: image efficiency is too low (efficiency={} < \
             threshold={LEAST_EFFICIENCY})",
            found.efficiency
        ),
        false => "PASS: lowestEfficiency".into(),
    };
    let rules = [
        user,
        "SKIP: highestWastedBytes: rule disabled".into(),
        efficiency,
    ];
    let failed = rules.iter().any(|rule| rule.starts_with("FAIL"));
    let paths = found.paths.iter();
    let rows = paths.map(|path| json!([path.count.to_string(), rough(path.bytes), path.path]));
    let references = found
        .paths
        .iter()
        .map(|path| json!({"count": path.count, "sizeBytes": path.bytes, "file": path.path}));
    // The recordings hold a whole number as such.
    let score = match found.efficiency {
        1.0 => json!(1),
        score => json!(score),
    };
    Ok(json!({
        "image": {
            "sizeBytes": found.bytes(),
            "inefficientBytes": wasted,
            "efficiencyScore": score,
            "fileReference": references.collect::<Vec<Value>>(),
        },
        "layers": layers,
        "ci": {
            "efficiency": format!("{:.4} %", found.efficiency * 100.0),
            "wastedBytes": format!("{wasted} bytes ({})", rough(wasted)),
            "userWastedPercent": format!("{:.4} %", share * 100.0),
            "exit": i32::from(failed),
            "files": rows.collect::<Vec<Value>>(),
            "rules": rules,
        },
    }))
}

/// A size as dive writes it.
fn rough(bytes: u64) -> String {
    if bytes < 10 {
        return format!("{bytes} B");
    }
    let units = ["B", "kB", "MB", "GB", "TB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 1000.0 && unit + 1 < units.len() {
        (value, unit) = (value / 1000.0, unit + 1);
    }
    let value = (value * 10.0 + 0.5).floor() / 10.0;
    match value < 10.0 {
        true => format!("{value:.1} {}", units[unit]),
        false => format!("{value:.0} {}", units[unit]),
    }
}

/// What overlay2 keeps on the engine's disk: the files of each layer, and of each container those
/// that every container has and its own.
fn on_disk(desktop: &Desktop, step: &Value, names: &mut Names) -> Result<Value, String> {
    let image = desktop
        .daemon
        .find_image(step["image"].as_str().unwrap_or_default())?;
    let folder = |label: Value, files: usize, bytes: u64, lowest: bool, below: bool| {
        // A layer that something was laid on says so.
        let mut beside = vec!["diff", "link"];
        if below {
            beside.insert(0, "committed");
        }
        if !lowest {
            beside.extend(["lower", "work"]);
        }
        json!({"layer": label, "files": files, "bytes": bytes, "beside": beside})
    };
    // Further names of a file weigh nothing.
    let weigh = |nodes: &mut dyn Iterator<Item = (&Inode, bool)>| {
        let files: Vec<_> = nodes.filter(|(inode, _)| !inode.is_dir()).collect();
        let first = files.iter().filter(|(_, again)| !again);
        let contents = first.filter_map(|(inode, _)| inode.file());
        let bytes: u64 = contents.map(layerwise::fs::Content::size).sum();
        (files.len(), bytes)
    };
    let mut layers = Vec::new();
    let chain = image.image.chain_ids();
    for (at, (layer, id)) in image.image.layers.iter().zip(&chain).enumerate() {
        let whiteouts = layer
            .changes
            .iter()
            .filter(|change| matches!(change, Change::Whiteout { .. }));
        let mut nodes = layer.changes.iter().filter_map(|change| match change {
            Change::Put {
                inode, hard_link, ..
            } => Some((&**inode, hard_link.is_some())),
            Change::Whiteout { .. } => None,
        });
        let (files, bytes) = weigh(&mut nodes);
        let files = files + whiteouts.count();
        let below = desktop.daemon.lies_below(*id);
        let label = json!(names.text(&layer.diff_id.to_string()));
        layers.push(folder(label, files, bytes, at == 0, below));
    }
    let mut out = json!({"driver": "overlay2", "layers": layers});
    for name in step["containers"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        let container = desktop.daemon.find_container(name)?;
        let own = image.image.fs();
        let init = container.lower().walk(Fs::ROOT);
        let mut init = init
            .filter(|entry| own.find(&entry.path).is_none())
            .map(|entry| (&**entry.inode, false));
        let (files, bytes) = weigh(&mut init);
        let upper = container.upper();
        let mut nodes = upper.iter().filter_map(|entry| match entry {
            Upper::Node {
                inode, hard_link, ..
            } => Some((&**inode, hard_link.is_some())),
            _ => None,
        });
        let (own_files, own_bytes) = weigh(&mut nodes);
        let whiteouts = upper
            .iter()
            .filter(|entry| matches!(entry, Upper::Whiteout { .. }));
        out[format!("container {name}")] = json!([
            folder(json!("init-id"), files, bytes, false, true),
            folder(
                json!("mount-id"),
                own_files + whiteouts.count(),
                own_bytes,
                false,
                false
            ),
        ]);
    }
    Ok(out)
}

/// A node as it lies on a disk.
fn stored(path: &str, inode: &Inode, names: &mut Names) -> Value {
    let mut shown = node(path, inode, names);
    shown["path"] = json!(path);
    let (link, file) = (shown["type"] == "symlink", shown["type"] == "file");
    if let Some(fields) = shown.as_object_mut() {
        let kept = |key: &str| match key {
            "linkname" => link,
            "size" => file,
            "mtime" | "text" => false,
            _ => true,
        };
        fields.retain(|key, _| kept(key));
    }
    shown
}

/// The image as an OCI layout with compressed layers, and what it unpacks to.
fn oci(desktop: &Desktop, name: &str, base: &Image, names: &mut Names) -> Result<Value, String> {
    const OCI: &str = "application/vnd.oci.image";
    let stored_image = desktop.daemon.find_image(name)?;
    let image = &stored_image.image;
    let ids: BTreeSet<_> = image.layers.iter().map(|layer| layer.diff_id).collect();
    let layer = format!("{OCI}.layer.v1.tar+gzip");
    let diff_ids = names.deep(&json!(image.config.rootfs.diff_ids));
    let history = image.config.history.iter().map(|step| {
        let empty = if step.empty_layer { " (empty)" } else { "" };
        format!("{}{empty}", names.text(&step.created_by))
    });
    let history: Vec<String> = history.collect();
    // Unpacked anew from the bytes of the layers, as another program would.
    let mut fs = Fs::empty();
    for layer in &image.layers {
        let tar = layer.tar().map_err(|error| error.to_string())?;
        let read = Layer::read(&tar, &fs).map_err(|error| error.to_string())?;
        fs = apply(&fs, &read.changes).map_err(|errno| errno.to_string())?;
    }
    let mut tree = Vec::new();
    for entry in fs.walk(Fs::ROOT) {
        let mut shown = stored(&entry.path, entry.inode, names);
        if entry.inode.nlink() > 1 && !entry.inode.is_dir() {
            shown["links"] = json!(entry.inode.nlink());
        }
        tree.push(shown);
    }
    tree.sort_by_key(|entry| entry["path"].as_str().map(String::from));
    Ok(json!({
        "top": ["blobs", "index.json", "oci-layout"],
        "index": [{
            "mediaType": format!("{OCI}.manifest.v1+json"),
            "annotations": {"org.opencontainers.image.ref.name": "x"},
        }],
        "config": format!("{OCI}.config.v1+json"),
        "layers": vec![layer; image.layers.len()],
        "blobs": ids.len() + 2,
        "diff_ids": diff_ids,
        "history": history,
        "unpacked": against(Value::Array(tree), base),
    }))
}

/// A container's upper folder as the kernel shows it.
fn upper(desktop: &Desktop, container: &str, names: &mut Names) -> Result<Value, String> {
    let entries = desktop.daemon.find_container(container)?.upper();
    let mut out: Vec<Value> = Vec::new();
    for entry in &entries {
        let shown = match entry {
            Upper::Node {
                path,
                inode,
                hard_link,
            } => {
                let mut shown = stored(path, inode, names);
                let first = hard_link.as_ref().unwrap_or(path);
                let again = entries.iter().filter(|other| match other {
                    Upper::Node {
                        hard_link, path, ..
                    } => hard_link.as_ref().unwrap_or(path) == first,
                    _ => false,
                });
                if again.count() > 1 {
                    shown["links"] = json!(inode.nlink());
                }
                shown
            }
            Upper::Whiteout { path, .. } => json!({
                "path": path, "mode": "0000", "uid": 0, "gid": 0, "type": "char",
                "device": [0, 0],
            }),
            Upper::Opaque { .. } => {
                if let Some(dir) = out.last_mut() {
                    dir["xattrs"] = json!({"trusted.overlay.opaque": "y"});
                }
                continue;
            }
        };
        out.push(shown);
    }
    out.sort_by_key(|entry| entry["path"].as_str().map(String::from));
    Ok(Value::Array(out))
}

/// A flat tar among the files: all of it, or what differs from the base.
fn tar(desktop: &Desktop, step: &Value, base: &Image, names: &mut Names) -> Result<Value, String> {
    let path = step["file"].as_str().unwrap_or_default();
    let (_, ino) = desktop.files.fs().follow(path).map_err(|e| e.to_string())?;
    let content = desktop
        .files
        .fs()
        .inode(ino)
        .file()
        .ok_or("it is no file")?;
    let found = entries(content.bytes(), names)?;
    if step["all"].as_bool() == Some(true) {
        return Ok(found);
    }
    Ok(against(found, base))
}

/// What of a tree differs from the base, and what is missing of it.
fn against(found: Value, base: &Image) -> Value {
    let found = found.as_array().cloned().unwrap_or_default();
    let fs = base.fs();
    let mut missing: BTreeSet<String> = fs.walk(Fs::ROOT).map(|entry| entry.path).collect();
    let count = found.len();
    let differs = |entry: &Value| {
        let path = entry["path"]
            .as_str()
            .unwrap_or_default()
            .trim_end_matches('/');
        let Some((_, inode)) = fs.find(path) else {
            return true;
        };
        let there = node(path, inode, &mut Names::new(Vec::new(), Vec::new()));
        let same = ["mode", "uid", "gid", "size"].into_iter().all(|key| {
            entry[key].is_null()
                || entry[key] == there[key]
                || (key == "mode" && there["type"] == "symlink")
        });
        let kinds = (there["type"].as_str(), entry["type"].as_str());
        let links = kinds == (Some("file"), Some("hardlink"));
        !(same && (kinds.0 == kinds.1 || links))
    };
    let shown: Vec<Value> = found
        .iter()
        .filter(|entry| differs(entry))
        .cloned()
        .collect();
    for entry in &found {
        missing.remove(
            entry["path"]
                .as_str()
                .unwrap_or_default()
                .trim_end_matches('/'),
        );
    }
    json!({"entries": count, "not_as_in_base": shown, "missing_from_base": missing})
}

/// The entries of a tar, in its order.
fn entries(tar: &[u8], names: &mut Names) -> Result<Value, String> {
    let mut links = whiteout_links(tar);
    let mut out = Vec::new();
    for entry in read_tar(tar).map_err(|error| error.to_string())? {
        let mut shown = match &entry.node {
            TarNode::Inode(inode) => node(&entry.path, inode, names),
            TarNode::HardLink(first) => {
                let mut shown = json!({"path": entry.path, "type": "hardlink", "size": 0});
                shown["linkname"] = json!(first);
                shown
            }
        };
        let (link, header) = links.remove(0);
        if shown["type"] == "file" && !link.is_empty() {
            shown["linkname"] = json!(link);
        }
        if shown["type"] == "hardlink" {
            shown["mode"] = json!(format!("{:04o}", header.0));
            shown["uid"] = json!(header.1);
            shown["gid"] = json!(header.2);
            authored(&mut shown, header.3);
        }
        out.push(shown);
    }
    Ok(Value::Array(out))
}

fn authored(shown: &mut Value, mtime: i64) {
    if mtime < LONG_AGO {
        shown["mtime"] = json!(mtime);
    }
}

fn node(path: &str, inode: &Inode, names: &mut Names) -> Value {
    let (kind, link) = match &inode.kind {
        Kind::File(_) | Kind::Socket => ("file", ""),
        Kind::Dir(_) => ("dir", ""),
        Kind::Symlink(target) => ("symlink", &**target),
        Kind::CharDevice(..) => ("char", ""),
        Kind::BlockDevice(..) => ("block", ""),
        Kind::Fifo => ("fifo", ""),
    };
    let slash = if kind == "dir" { "/" } else { "" };
    let content = inode.file();
    let size = content.map_or(0, layerwise::fs::Content::size);
    let mut shown = json!({
        "path": format!("{path}{slash}"),
        "type": kind,
        "mode": format!("{:04o}", inode.meta.mode),
        "uid": inode.meta.uid,
        "gid": inode.meta.gid,
        "size": size,
        "linkname": link,
    });
    authored(&mut shown, inode.meta.mtime.secs());
    let text = content.and_then(|content| std::str::from_utf8(content.bytes()).ok());
    if let Some(text) = text.filter(|_| (1..=SHOWN).contains(&size)) {
        shown["text"] = json!(names.text(text));
    }
    shown
}

/// Mode, owner and time of an entry, as its header has them.
type Header = (u32, u32, u32, i64);

/// The name that each entry of a tar links to, whatever its type, and its header: what a reader
/// that knows whiteouts passes over.
fn whiteout_links(tar: &[u8]) -> Vec<(String, Header)> {
    const BLOCK: usize = 512;
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(header) = tar.get(at..at + BLOCK).filter(|block| block[0] != 0) {
        let text = |from: usize, to: usize| {
            let field = String::from_utf8_lossy(&header[from..to]).into_owned();
            field.trim_matches(['\0', ' ']).to_string()
        };
        let number = |from: usize, to: usize| i64::from_str_radix(&text(from, to), 8).unwrap_or(0);
        let size = number(124, 135) as usize;
        at += BLOCK + size.div_ceil(BLOCK) * BLOCK;
        if header[156] != b'x' && header[156] != b'g' {
            let meta = (
                number(100, 107) as u32,
                number(108, 115) as u32,
                number(116, 123) as u32,
                number(136, 147),
            );
            out.push((text(157, 257), meta));
        }
    }
    out
}
