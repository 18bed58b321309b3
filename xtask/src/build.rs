//! `build`: the static site, and what it weighs.

use crate::args::Args;
use crate::page::{self, Mode};
use crate::{Failure, Outcome};

/// What opening the page loads of wasm, JavaScript and CSS is to weigh together at the most, in
/// bytes after gzip.
const BUDGET: usize = 900 * 1000;
/// Code that is loaded when it is first wanted, not with the page.
const LATER: &str = "assets/rest-";

/// Builds the page into `dist/` and prints its sizes.
///
/// # Errors
///
/// The build fails, or the page is over its budget.
pub fn run(args: Args) -> Outcome {
    args.none_left()?;
    page::build(Mode::Release)?;
    weigh()
}

/// Prints the sizes of the built page and holds them against the budget.
///
/// # Errors
///
/// The page is over its budget.
pub fn weigh() -> Outcome {
    let files = page::built()?;
    println!("{:>12} {:>12}  file", "bytes", "gzip");
    let (mut code, mut later) = (0, 0);
    let (mut data_raw, mut data_gzip, mut data_files) = (0, 0, 0);
    for file in &files {
        if [".wasm", ".js", ".css"]
            .iter()
            .any(|ending| file.path.ends_with(ending))
        {
            if file.path.starts_with(LATER) {
                later += file.gzip;
            } else {
                code += file.gzip;
            }
        } else if file.path.contains('/') {
            data_raw += file.raw;
            data_gzip += file.gzip;
            data_files += 1;
            continue;
        }
        println!("{:>12} {:>12}  {}", file.raw, file.gzip, file.path);
    }
    println!("{data_raw:>12} {data_gzip:>12}  {data_files} data files, loaded when needed");
    println!("wasm + JS + CSS: {code} bytes after gzip, of a budget of {BUDGET}");
    println!("  and {later} bytes of what is loaded when it is first wanted");
    if code > BUDGET {
        return Err(Failure::Because(format!(
            "the page is {} bytes over its budget",
            code - BUDGET
        )));
    }
    Ok(())
}
