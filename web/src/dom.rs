//! The browser: what the app needs of it beyond what Yew gives.

use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DataTransfer, Document, Element, File, FileList, FileSystemDirectoryEntry, FileSystemEntry,
    FileSystemFileEntry, HtmlAnchorElement, HtmlElement, Storage, Window,
};

use layerwise::view::UploadedFile;

/// The window.
///
/// # Panics
///
/// There is none: the app runs in a page only.
pub fn window() -> Window {
    web_sys::window().expect("a page has a window")
}

/// The document.
///
/// # Panics
///
/// There is none: the app runs in a page only.
pub fn document() -> Document {
    window().document().expect("a page has a document")
}

/// Puts a word on the page as a whole (`data-…`), for styles and tests.
pub fn tell_page(name: &str, value: &str) {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute(&format!("data-{name}"), value);
    }
}

/// Ends after some milliseconds.
pub async fn sleep(milliseconds: i32) {
    let promise = Promise::new(&mut |resolve, _| {
        let _ =
            window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds);
    });
    let _ = JsFuture::from(promise).await;
}

/// The text behind an address of this site.
pub async fn fetch_text(address: &str) -> Result<String, String> {
    let fetched = JsFuture::from(window().fetch_with_str(address))
        .await
        .map_err(|_| format!("{address} could not be loaded"))?;
    let response: web_sys::Response = fetched.unchecked_into();
    if !response.ok() {
        return Err(format!(
            "{address} could not be loaded: {} {}",
            response.status(),
            response.status_text()
        ));
    }
    let text = response.text().map_err(words)?;
    let text = JsFuture::from(text).await.map_err(words)?;
    Ok(text.as_string().unwrap_or_default())
}

/// What went wrong, in words.
pub fn words(error: JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map_or_else(
        || error.as_string().unwrap_or_else(|| "unknown error".into()),
        |error| error.message().into(),
    )
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// What this browser keeps under a name.
pub fn load(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

/// Keeps a text under a name; false if the browser refuses.
pub fn store(key: &str, text: &str) -> bool {
    storage().is_some_and(|storage| storage.set_item(key, text).is_ok())
}

/// Forgets what is kept under a name.
pub fn forget(key: &str) {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(key);
    }
}

/// Whether a media query holds now.
pub fn matches_media(query: &str) -> bool {
    window()
        .match_media(query)
        .ok()
        .flatten()
        .is_some_and(|list| list.matches())
}

/// Whether the keys' modifier is Command.
pub fn is_mac() -> bool {
    window()
        .navigator()
        .user_agent()
        .is_ok_and(|agent| agent.contains("Mac"))
}

/// Whether keys pressed at an element are text for it.
pub fn takes_text(target: Option<web_sys::EventTarget>) -> bool {
    target
        .and_then(|target| target.dyn_into::<HtmlElement>().ok())
        .is_some_and(|element| {
            element.is_content_editable()
                || matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
        })
}

/// Puts a text on the clipboard.
pub fn copy(text: &str) {
    let _ = window().navigator().clipboard().write_text(text);
}

/// Saves bytes as a file of the user's.
pub fn download(name: &str, bytes: &[u8]) -> Result<(), String> {
    let parts = Array::of1(&Uint8Array::from(bytes));
    let blob = web_sys::Blob::new_with_u8_array_sequence(&parts).map_err(words)?;
    let url = web_sys::Url::create_object_url_with_blob(&blob).map_err(words)?;
    let link: HtmlAnchorElement = document()
        .create_element("a")
        .map_err(words)?
        .unchecked_into();
    link.set_href(&url);
    link.set_download(name);
    link.click();
    // The download has its own hold on the blob.
    web_sys::Url::revoke_object_url(&url).map_err(words)
}

/// Puts the focus on the element with an id.
pub fn focus(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        focus_on(&element);
    }
}

/// Puts the focus on an element.
pub fn focus_on(element: &Element) {
    if let Some(element) = element.dyn_ref::<HtmlElement>() {
        let _ = element.focus();
    }
}

async fn read(file: &File, path: String) -> Result<UploadedFile, String> {
    let buffer = JsFuture::from(file.array_buffer())
        .await
        .map_err(|_| format!("{path} could not be read"))?;
    Ok(UploadedFile {
        path,
        bytes: Uint8Array::new(&buffer).to_vec(),
    })
}

/// The files that were chosen in a file field, under a directory.
pub async fn chosen_files(files: FileList, under: String) -> Result<Vec<UploadedFile>, String> {
    let mut uploaded = Vec::new();
    for file in (0..files.length()).filter_map(|index| files.get(index)) {
        let relative = Reflect::get(&file, &"webkitRelativePath".into())
            .ok()
            .and_then(|path| path.as_string())
            .filter(|path| !path.is_empty())
            .unwrap_or_else(|| file.name());
        uploaded.push(read(&file, join(&under, &relative)).await?);
    }
    Ok(uploaded)
}

/// Files and folders that are dropped, each an entry; to be taken while the event is handled.
pub fn dropped_entries(data: &DataTransfer) -> Vec<FileSystemEntry> {
    let items = data.items();
    (0..items.length())
        .filter_map(|index| items.get(index))
        .filter_map(|item| item.webkit_get_as_entry().ok().flatten())
        .collect()
}

/// All files of dropped entries, under a directory.
pub async fn dropped_files(
    entries: Vec<FileSystemEntry>,
    under: String,
) -> Result<Vec<UploadedFile>, String> {
    let mut uploaded = Vec::new();
    let mut left: Vec<_> = entries.into_iter().rev().collect();
    while let Some(entry) = left.pop() {
        if entry.is_file() {
            let entry: FileSystemFileEntry = entry.unchecked_into();
            let file = called_back(|done, failed| {
                let (entry, done) = (entry.unchecked_ref::<JsValue>(), done);
                let _ = call(entry, "file", &[done, failed]);
            })
            .await?;
            let path = join(&under, entry.full_path().trim_start_matches('/'));
            uploaded.push(read(file.unchecked_ref(), path).await?);
        } else if entry.is_directory() {
            let reader = entry
                .unchecked_into::<FileSystemDirectoryEntry>()
                .create_reader();
            // A reader gives a part at a time, an empty one at the end.
            loop {
                let part = called_back(|done, failed| {
                    let _ = call(reader.as_ref(), "readEntries", &[done, failed]);
                })
                .await?;
                let part: Array = part.unchecked_into();
                if part.length() == 0 {
                    break;
                }
                left.extend(part.iter().map(JsCast::unchecked_into::<FileSystemEntry>));
            }
        }
    }
    Ok(uploaded)
}

async fn called_back(mut start: impl FnMut(&Function, &Function)) -> Result<JsValue, String> {
    let promise = Promise::new(&mut |resolve, reject| start(&resolve, &reject));
    JsFuture::from(promise).await.map_err(words)
}

fn call(object: &JsValue, method: &str, arguments: &[&Function]) -> Result<JsValue, JsValue> {
    let method: Function = Reflect::get(object, &method.into())?.dyn_into()?;
    let list = Array::new();
    for argument in arguments {
        list.push(argument);
    }
    Reflect::apply(&method, object, &list)
}

fn join(directory: &str, path: &str) -> String {
    if directory.is_empty() {
        path.to_owned()
    } else {
        format!("{directory}/{path}")
    }
}
