//! How [`Request`] and [`TreeRef`] are read: see [`fields`](crate::engine::fields).

use serde::Deserialize;

use crate::engine::fields::{need, unknown};

use super::{ArchiveFormat, Edit, Request, Saved, Text, TreeRef};

/// The fields of all requests.
#[derive(Deserialize)]
pub(super) struct RequestFields {
    kind: String,
    source: Option<String>,
    saved: Option<Saved>,
    edit: Option<Edit>,
    tree: Option<TreeRef>,
    dir: Option<String>,
    pattern: Option<String>,
    limit: Option<usize>,
    path: Option<String>,
    build: Option<u32>,
    before: Option<u32>,
    after: Option<u32>,
    other: Option<String>,
    format: Option<ArchiveFormat>,
    text: Option<Text>,
}

impl TryFrom<RequestFields> for Request {
    type Error = String;

    fn try_from(fields: RequestFields) -> Result<Request, String> {
        let tree = need(fields.tree, "tree");
        let build = need(fields.build, "build");
        Ok(match fields.kind.as_str() {
            "openPlay" => Request::OpenPlay {
                source: need(fields.source, "source")?,
            },
            "openSaved" => Request::OpenSaved {
                saved: need(fields.saved, "saved")?,
            },
            "save" => Request::Save,
            "refresh" => Request::Refresh,
            "edit" => Request::Edit {
                edit: need(fields.edit, "edit")?,
            },
            "undo" => Request::Undo,
            "redo" => Request::Redo,
            "build" => Request::Build,
            "continue" => Request::Continue,
            "cancel" => Request::Cancel,
            "forecast" => Request::Forecast,
            "list" => Request::List {
                tree: tree?,
                dir: need(fields.dir, "dir")?,
            },
            "find" => Request::Find {
                tree: tree?,
                pattern: need(fields.pattern, "pattern")?,
                limit: need(fields.limit, "limit")?,
            },
            "read" => Request::Read {
                tree: tree?,
                path: need(fields.path, "path")?,
            },
            "showBuild" => Request::ShowBuild { build: build? },
            "restore" => Request::Restore { build: build? },
            "text" => Request::Text {
                build: build?,
                text: need(fields.text, "text")?,
            },
            "compare" => Request::Compare {
                before: need(fields.before, "before")?,
                after: need(fields.after, "after")?,
            },
            "matrix" => Request::Matrix {
                other: fields.other,
            },
            "suggest" => Request::Suggest,
            "export" => Request::Export {
                build: build?,
                format: need(fields.format, "format")?,
            },
            kind => return unknown(kind),
        })
    }
}

/// The fields of all references to trees.
#[derive(Deserialize)]
pub(super) struct TreeFields {
    of: String,
    build: Option<u32>,
    layer: Option<u32>,
    step: Option<u32>,
}

impl TryFrom<TreeFields> for TreeRef {
    type Error = String;

    fn try_from(fields: TreeFields) -> Result<TreeRef, String> {
        let build = need(fields.build, "build");
        let layer = need(fields.layer, "layer");
        Ok(match fields.of.as_str() {
            "context" => TreeRef::Context,
            "layer" => TreeRef::Layer {
                build: build?,
                layer: layer?,
            },
            "merged" => TreeRef::Merged {
                build: build?,
                layer: layer?,
            },
            "step" => TreeRef::Step {
                build: build?,
                step: need(fields.step, "step")?,
            },
            of => return unknown(of),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{BuildOptions, UploadedFile};

    fn comes_back<T>(value: T)
    where
        T: PartialEq + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
    {
        let json = serde_json::to_value(&value).unwrap();
        assert_eq!(serde_json::from_value::<T>(json).unwrap(), value);
    }

    #[test]
    fn every_request_is_read_as_it_is_written() {
        let text = || "text".to_string();
        let (build, layer) = (7, 8);
        let tree = TreeRef::Context;
        let requests = [
            Request::OpenPlay { source: text() },
            Request::OpenSaved {
                saved: Saved::default(),
            },
            Request::Save,
            Request::Refresh,
            Request::Edit {
                edit: Edit::ClearCache,
            },
            Request::Undo,
            Request::Redo,
            Request::Build,
            Request::Continue,
            Request::Cancel,
            Request::Forecast,
            Request::List { tree, dir: text() },
            Request::Find {
                tree: TreeRef::Layer { build, layer },
                pattern: text(),
                limit: 9,
            },
            Request::Read {
                tree: TreeRef::Merged { build, layer },
                path: text(),
            },
            Request::Read {
                tree: TreeRef::Step { build, step: 9 },
                path: text(),
            },
            Request::ShowBuild { build },
            Request::Restore { build },
            Request::Text {
                build,
                text: Text::HistoryWhole,
            },
            Request::Compare {
                before: 1,
                after: 2,
            },
            Request::Matrix { other: None },
            Request::Matrix {
                other: Some(text()),
            },
            Request::Suggest,
            Request::Export {
                build,
                format: ArchiveFormat::Docker,
            },
        ];
        requests.into_iter().for_each(comes_back);
    }

    #[test]
    fn every_edit_is_read_as_it_is_written() {
        let path = || "a/b".to_string();
        let options = BuildOptions {
            build_args: [("A".to_string(), "1".to_string())].into(),
            no_cache_filter: vec!["stage".to_string()],
            cache_to: vec!["type=inline".to_string()],
            tag: Some("app".to_string()),
            ..BuildOptions::default()
        };
        let edits = [
            Edit::Dockerfile { text: path() },
            Edit::Move { from: 3, to: 0 },
            Edit::Write {
                path: path(),
                bytes: vec![0, 255],
                mode: None,
            },
            Edit::Write {
                path: path(),
                bytes: Vec::new(),
                mode: Some(0o755),
            },
            Edit::Nudge { path: path() },
            Edit::Upload {
                files: vec![UploadedFile {
                    path: path(),
                    bytes: vec![1],
                }],
            },
            Edit::Mkdir { path: path() },
            Edit::Symlink {
                path: path(),
                target: "c".to_string(),
            },
            Edit::Delete { path: path() },
            Edit::Rename {
                from: path(),
                to: "3".to_string(),
            },
            Edit::Chmod {
                path: path(),
                mode: 0o600,
            },
            Edit::Touch { path: path() },
            Edit::Options { options },
            Edit::Advance { days: 30 },
            Edit::ClearCache,
            Edit::Machine {
                name: "ci".to_string(),
            },
        ];
        edits.into_iter().for_each(comes_back);
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let refusal = |json| {
            serde_json::from_str::<Request>(json)
                .unwrap_err()
                .to_string()
        };
        insta::assert_snapshot!(refusal(r#"{"kind":"fly"}"#), @"unknown variant `fly`");
        insta::assert_snapshot!(refusal(r#"{"kind":"read","path":"a"}"#), @"missing field `tree`");
        insta::assert_snapshot!(
            refusal(r#"{"kind":"edit","edit":{"op":"move","from":"a","to":1}}"#),
            @"missing field `from` at line 1 column 54"
        );
    }
}
