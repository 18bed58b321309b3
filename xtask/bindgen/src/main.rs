//! `wasm-bindgen`, as far as the page's build needs it: the options with which Trunk and
//! `cargo xtask` call it. It is the library behind the tool of that name, so it is locked with the
//! project's other dependencies and compiles in a quarter of the time.

mod trap;

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

/// The environment variable that asks for panics without words, see [`trap`].
const TRAP: &str = "WASM_TRAP_PANICS";

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("wasm-bindgen: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: impl Iterator<Item = String>) -> Result<(), String> {
    let mut bindgen = Bindgen::new();
    // Both callers say where the module is, so that its file can be named by its content.
    bindgen.omit_default_module_path(true).typescript(true);
    let mut out_dir = None;
    for word in words {
        let (option, value) = word.split_once('=').unwrap_or((&word, ""));
        match option {
            "--version" => {
                println!("wasm-bindgen {}", env!("CARGO_PKG_VERSION"));
                return Ok(());
            }
            "--target" if value == "web" => {
                bindgen.web(true).map_err(|error| error.to_string())?;
            }
            "--out-dir" => out_dir = Some(value.to_owned()),
            "--out-name" => {
                bindgen.out_name(value);
            }
            "--no-typescript" => {
                bindgen.typescript(false);
            }
            _ if option.starts_with('-') => return Err(format!("`{word}` is not supported")),
            _ => {
                bindgen.input_path(&word);
            }
        }
    }
    let out_dir = out_dir.ok_or("--out-dir is missing")?;
    let mut output = bindgen
        .generate_output()
        .map_err(|error| format!("{error:#}"))?;
    if std::env::var_os(TRAP).is_some() {
        trap::panics(output.wasm_mut());
    }
    output.emit(out_dir).map_err(|error| format!("{error:#}"))
}
