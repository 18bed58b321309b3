//! Running a project's scripts.

use super::super::super::{Call, Exit, cost};
use super::super::files::Files;
use super::{Manager, Options, manifest, project_dir};

/// Runs a script of the manifest, with those before and after it.
pub(super) fn script(
    call: &mut Call<'_, '_>,
    manager: Manager,
    options: &Options,
    words: &[String],
) -> Exit {
    let dir = project_dir(call, options);
    let project = match manifest(call, &dir)? {
        Ok(project) => project,
        Err(code) => return Ok(code),
    };
    let Some(name) = words.first() else {
        return Ok(0);
    };
    let scripts = &project["scripts"];
    let Some(command) = scripts[name.as_str()].as_str() else {
        if manager != Manager::Npm && files_has_bin(call, &dir, name) {
            let args = words.join(" ");
            return shell(call, &dir, name, &args);
        }
        if options.if_present {
            return Ok(0);
        }
        call.err(match manager {
            Manager::Npm => format!(
                "npm error Missing script: \"{name}\"\nnpm error\nnpm error To see a list of scripts, run:\nnpm error   npm run\n"
            ),
            Manager::Yarn => format!("error Command \"{name}\" not found.\n"),
            Manager::Pnpm => format!(" ERR_PNPM_NO_SCRIPT  Missing script: {name}\n"),
        })?;
        return Ok(1);
    };
    let extra: String = words[1..]
        .iter()
        .filter(|word| *word != "--")
        .map(|word| format!(" {word}"))
        .collect();
    let of = |key: &str| project[key].as_str().unwrap_or_default().to_owned();
    let title = match (of("name"), of("version")) {
        (name, version) if version.is_empty() => name,
        (name, version) => format!("{name}@{version}"),
    };
    for (step, command) in [
        (format!("pre{name}"), None),
        (name.clone(), Some(format!("{command}{extra}"))),
        (format!("post{name}"), None),
    ] {
        let command = command.or_else(|| scripts[step.as_str()].as_str().map(str::to_owned));
        let Some(command) = command else { continue };
        if !options.silent {
            call.out(format!("\n> {title} {step}\n> {command}\n\n"))?;
        }
        call.kernel.spend(cost::seconds(0.3));
        let code = shell(call, &dir, &step, &command)?;
        if code != 0 {
            return Ok(code);
        }
    }
    Ok(0)
}

fn files_has_bin(call: &mut Call<'_, '_>, dir: &str, name: &str) -> bool {
    Files::of(call).exists(&format!("{dir}/node_modules/.bin/{name}"))
}

/// `PATH` with the project's programs in front.
pub(super) fn bin_path(call: &Call<'_, '_>) -> String {
    let path = call.proc.env.get("PATH").unwrap_or("/bin:/usr/bin");
    format!("{}/node_modules/.bin:{path}", call.proc.fs.cwd)
}

/// Runs a command line in the project's folder.
pub(super) fn shell(call: &mut Call<'_, '_>, dir: &str, event: &str, command: &str) -> Exit {
    let args = ["sh", "-c", command].map(str::to_owned);
    let path = call.proc.env.get("PATH").unwrap_or("/bin:/usr/bin");
    let path = format!("{dir}/node_modules/.bin:{path}");
    let ran = call.run_with(&args, |child| {
        child.fs.cwd = dir.to_owned();
        child.env.set("PATH", &path);
        child.env.set("npm_lifecycle_event", event);
    })?;
    match ran {
        Ok(code) => Ok(code),
        Err(_) => {
            call.err("sh: not found\n")?;
            Ok(127)
        }
    }
}
