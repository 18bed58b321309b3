//! Python's own command line, and virtual environments.

use super::super::super::{Call, Exit, Fidelity, Stop, cost};
use super::super::files::{Failed, Files, program};
use super::{main, python};
use crate::fs::{Content, join};

/// `python`: its version, `-m pip`, `-m venv`; what a script does is not known.
pub(in super::super) fn python_main(call: &mut Call<'_, '_>) -> Exit {
    let path = call.image.path.clone();
    let args: Vec<String> = call
        .args
        .iter()
        .skip_while(|arg| matches!(arg.as_str(), "-u" | "-B" | "-O" | "-I" | "-s" | "-E"))
        .cloned()
        .collect();
    match args
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["-V" | "--version", ..] => {
            let from_env = call.proc.env.get("PYTHON_VERSION").map(str::to_owned);
            let version = from_env.or_else(|| python(call, &path).map(|python| python.version));
            call.out(format!("Python {}\n", version.unwrap_or_default()))?;
            Ok(0)
        }
        ["-m", "pip", ..] => {
            call.args = args[2..].to_vec();
            main(call, &path)
        }
        ["-m", "venv" | "virtualenv", ..] => {
            let dirs: Vec<&String> = args[2..]
                .iter()
                .filter(|arg| !arg.starts_with('-'))
                .collect();
            for dir in dirs {
                if let Some(code) = venv(call, &path, dir)? {
                    return Ok(code);
                }
            }
            Ok(0)
        }
        [script, ..] if !script.starts_with('-') => {
            if !Files::of(call).exists(script) {
                let full = join(&call.proc.fs.cwd, script);
                call.err(format!(
                    "{path}: can't open file '{full}': [Errno 2] No such file or directory\n"
                ))?;
                return Ok(2);
            }
            call.kernel.mark(Fidelity::NotSimulated);
            Ok(0)
        }
        _ => {
            call.kernel.mark(Fidelity::NotSimulated);
            Ok(0)
        }
    }
}

/// `virtualenv DIR`.
pub(in super::super) fn virtualenv(call: &mut Call<'_, '_>) -> Exit {
    let dirs: Vec<String> = call
        .args
        .iter()
        .filter(|arg| !arg.starts_with('-'))
        .cloned()
        .collect();
    for dir in &dirs {
        if let Some(code) = venv(call, "python3", dir)? {
            return Ok(code);
        }
    }
    Ok(0)
}

/// Makes a virtual environment; gives an exit code where it fails.
fn venv(call: &mut Call<'_, '_>, path: &str, dir: &str) -> Result<Option<i32>, Stop> {
    let Some(python) = python(call, path) else {
        return Ok(Some(1));
    };
    let version = &python.version;
    let base = if python.managed {
        "/usr"
    } else {
        &python.prefix
    };
    let interpreter = format!("{base}/bin/python{version}");
    let mut files = Files::of(call);
    let ensurepip = format!("{base}/lib/python{version}/ensurepip");
    if python.managed && files.exists("/var/lib/dpkg/status") && !files.exists(&ensurepip) {
        call.out(format!(
            "The virtual environment was not created successfully because ensurepip is not\n\
             available.  On Debian/Ubuntu systems, you need to install the python3-venv\n\
             package using the following command.\n\n    apt install python{version}-venv\n\n"
        ))?;
        return Ok(Some(1));
    }
    let dir = files.absolute(dir);
    let site = format!("{dir}/lib/python{version}/site-packages");
    let mut make = || {
        let text = format!(
            "home = {base}/bin\ninclude-system-site-packages = false\nversion = {version}\n"
        );
        files.put(&format!("{dir}/pyvenv.cfg"), Content::new(text), 0o644)?;
        files.link(&format!("{dir}/bin/python{version}"), &interpreter)?;
        files.link(&format!("{dir}/bin/python3"), &format!("python{version}"))?;
        files.link(&format!("{dir}/bin/python"), &format!("python{version}"))?;
        for name in ["pip", "pip3"] {
            let path = format!("{dir}/bin/{name}");
            files.put(&path, program(&path, "pip", 230), 0o755)?;
        }
        files.put(&format!("{dir}/bin/activate"), activate(&dir), 0o644)?;
        let info = format!("{site}/pip-24.0.dist-info/METADATA");
        files.put(&info, Content::from("Name: pip\nVersion: 24.0\n"), 0o644)?;
        files.put_many(
            (&format!("{site}/pip/module_"), ".py"),
            "pip 24.0",
            850,
            11_000_000,
        )
    };
    if let Err(failed) = make() {
        let Failed { path, errno, .. } = failed;
        call.err(format!("Error: [Errno 13] {errno}: '{path}'\n"))?;
        return Ok(Some(1));
    }
    let machine = call.kernel.host.machine();
    call.kernel.spend(cost::seconds(2.5 * machine.cpu));
    Ok(None)
}

/// What sourcing it does is to put the environment's programs first.
fn activate(dir: &str) -> Content {
    Content::new(format!(
        "VIRTUAL_ENV='{dir}'\nexport VIRTUAL_ENV\nPATH=\"$VIRTUAL_ENV/bin:$PATH\"\nexport PATH\n"
    ))
}
