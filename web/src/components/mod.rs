//! What is on the page, a component or a part a file. What has no state of its own
//! is a function: all of it is rendered anew with each model, and a component has its price in bytes.

mod code;
mod compare;
mod digest;
mod dock;
mod editor_pane;
mod files;
mod header;
mod help;
mod history;
mod icon;
mod image;
mod layer_files;
mod log;
mod menu;
mod notice;
mod options;
mod pane_bar;
mod peek;
mod problems;
mod prompt;
mod start;
mod status;
mod steps;
mod strata;
mod theme;
mod tree;
mod verdict;
mod why;

pub use dock::dock;
pub use editor_pane::editor_pane;
pub use files::FilesPane;
pub use header::header;
pub use help::Help;
pub use image::image_pane;
pub use notice::notice_bar;
pub use pane_bar::pane_bar;
pub use start::start;
