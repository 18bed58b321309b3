//! `catalog`: the served catalog (`public/catalog/`), made from its source form.
//!
//! The source form is tables of facts: trees of base systems, images as lists of layers with a few
//! known paths, packages with sizes and dependencies. The served form is what a build asks for,
//! one part a file, so that a build fetches little:
//!
//! | part | what |
//! |---|---|
//! | `index.json` | image names and tags, and the rules that map other tags to them |
//! | `images/NAME.json` | one image: its layers by id, its configuration |
//! | `layers/ID.tsv` | the files of one layer (see [`layers`]) |
//! | `apt/common.tsv`, `apt/rest.tsv` | packages: what people mostly install, and all others |
//! | `apt/virtual.tsv` | virtual package names |
//! | `apk.tsv`, `npm.tsv`, `pip.tsv` | packages |
//!
//! Parts are plain text. Hosts compress text themselves, differences between two editions can be
//! read, and the engine needs no second way to read a part.

mod layers;
mod node;
mod packages;
mod programs;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::args::Args;
use crate::process::{root, say};
use crate::{Failure, Outcome};

use layers::Synthesis;
use source::Source;

/// Regenerates the served catalog.
pub fn run(args: Args) -> Outcome {
    let words = args.rest()?;
    let [dir] = words.as_slice() else {
        return Err("the folder of the source form is needed".into());
    };
    let parts = generate(&Source::new(dir))?;
    let out = root().join("public/catalog");
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    let mut bytes = 0;
    for (name, text) in &parts {
        write(&out.join(name), text)?;
        bytes += text.len();
    }
    say(&format!(
        "{} parts, {} KB in {}",
        parts.len(),
        bytes / 1000,
        out.display()
    ));
    Ok(())
}

fn write(path: &Path, text: &str) -> Outcome {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(path, text)?;
    Ok(())
}

/// Every part by name.
fn generate(source: &Source) -> Result<BTreeMap<String, String>, Failure> {
    let mut parts = packages::parts(source)?;
    let mut synthesis = Synthesis::new(source)?;
    let mut names = Map::new();
    for (file, image) in source.images()? {
        let served = image_part(&image, &mut synthesis)
            .map_err(|why| Failure::Because(format!("{file}: {why}")))?;
        let name = text(&image, "name")?;
        for tag in strings(&image["tags"]) {
            names.insert(format!("{name}:{tag}"), json!(file));
        }
        parts.insert(format!("images/{file}.json"), served);
    }
    for (id, listing) in synthesis.finish() {
        parts.insert(format!("layers/{id}.tsv"), listing);
    }
    let listed: BTreeSet<&String> = names.keys().collect();
    let aliases: Vec<Value> = source
        .aliases()?
        .into_iter()
        // What a reference's prefix and digest are is the engine's to know.
        .filter(|rule| !rule[1].as_str().is_some_and(|to| to.starts_with("strip ")))
        .collect();
    for rule in &aliases {
        let to = rule[1].as_str().unwrap_or_default().to_owned();
        // Nothing stands for some names.
        if !to.is_empty() && !listed.contains(&to) {
            return Err(format!("an alias leads to {to}, which is not listed").into());
        }
    }
    let index = json!({ "images": names, "aliases": aliases });
    parts.insert("index.json".into(), line(&index));
    Ok(parts)
}

fn image_part(image: &Value, synthesis: &mut Synthesis) -> Result<String, String> {
    let mut stack = synthesis.stack();
    let mut layers = Vec::new();
    for layer in image["layers"].as_array().into_iter().flatten() {
        let created_by = layer["created_by"].as_str().unwrap_or_default();
        if layer["empty"] == true {
            layers.push(json!({ "created_by": created_by }));
            continue;
        }
        let id = layer["id"].as_str().ok_or("a layer has no id")?;
        let id = stack.add(id, layer)?;
        layers.push(json!({
            "id": id,
            "created_by": created_by,
            "bytes": layer["bytes"],
            "compressed": layer["compressed"],
            "estimated": layer["bytes_src"] == "estimated",
        }));
    }
    let mut served = Map::new();
    for key in ["name", "tags", "os", "arch"] {
        served.insert(key.into(), image[key].clone());
    }
    served.insert("layers".into(), Value::Array(layers));
    served.insert("config".into(), image["config"].clone());
    if let Some(note) = image["note"].as_str() {
        served.insert("note".into(), json!(note));
    }
    Ok(line(&Value::Object(served)))
}

fn line(value: &Value) -> String {
    format!("{value}\n")
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, Failure> {
    value[key]
        .as_str()
        .ok_or_else(|| Failure::Because(format!("`{key}` is missing")))
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}
