//! pip against measured installs.

mod common;

use common::{Container, log, near};

#[test]
fn pip_installs_weigh_what_was_measured() {
    let weigh = |packages: &str, bytes: u64| {
        let mut machine = Container::of("python:3.12-slim");
        machine.ok(&format!("pip install --no-cache-dir {packages}"));
        near(packages, machine.layer().content_size, bytes);
        assert!(!machine.has("/root/.cache/pip"));
    };
    weigh("flask gunicorn", 7_158_552);
    weigh("pandas", 153_397_031);
}

#[test]
fn pip_reads_requirements() {
    let mut machine = Container::of("python:3.12-slim");
    let missing = machine.run("pip install -r requirements.txt");
    assert_eq!(missing.exit_code, 1);
    insta::assert_snapshot!(log(&missing), @"ERROR: Could not open requirements file: [Errno 2] No such file or directory: 'requirements.txt'");
    machine.write(
        "/app/requirements.txt",
        "Flask>=2\n-r more.txt\n# nothing\n",
    );
    machine.write(
        "/app/more.txt",
        "gunicorn==21.2.0 ; python_version >= '3.8'\nmy-own-thing\n",
    );
    let outcome = machine.run("pip install -r requirements.txt");
    insta::assert_snapshot!(log(&outcome), @r"
    Collecting blinker==1.9.0
      Downloading blinker-1.9.0-py3-none-any.whl (8458 B)
    Collecting click==8.5.1
      Downloading click-8.5.1-py3-none-any.whl (126 kB)
    Collecting flask==3.1.3
      Downloading flask-3.1.3-py3-none-any.whl (103 kB)
    Collecting gunicorn==21.2.0
      Downloading gunicorn-21.2.0-py3-none-any.whl (264 kB)
    Collecting itsdangerous==2.2.0
      Downloading itsdangerous-2.2.0-py3-none-any.whl (16.2 kB)
    Collecting jinja2==3.1.6
      Downloading jinja2-3.1.6-py3-none-any.whl (135 kB)
    Collecting markupsafe==3.0.4
      Downloading markupsafe-3.0.4-py3-none-any.whl (23.0 kB)
    Collecting my-own-thing==1.0.0
      Downloading my_own_thing-1.0.0-py3-none-any.whl (284 kB)
    Collecting werkzeug==3.1.9
      Downloading werkzeug-3.1.9-py3-none-any.whl (229 kB)
    layerwise: the catalog has no package my-own-thing; its size is an estimate
    Installing collected packages: blinker, click, flask, gunicorn, itsdangerous, jinja2, markupsafe, my-own-thing, werkzeug
    Successfully installed blinker-1.9.0 click-8.5.1 flask-3.1.3 gunicorn-21.2.0 itsdangerous-2.2.0 jinja2-3.1.6 markupsafe-3.0.4 my-own-thing-1.0.0 werkzeug-3.1.9
    WARNING: Running pip as the 'root' user can result in broken permissions and conflicting behaviour with the system package manager. It is recommended to use a virtual environment instead.
    ");
    assert!(machine.has("/usr/local/bin/gunicorn") && machine.has("/usr/local/bin/flask"));
    insta::assert_snapshot!(log(&machine.run("pip freeze")), @r"
    blinker==1.9.0
    click==8.5.1
    flask==3.1.3
    gunicorn==21.2.0
    itsdangerous==2.2.0
    jinja2==3.1.6
    markupsafe==3.0.4
    my-own-thing==1.0.0
    werkzeug==3.1.9
    ");
    let again = machine.run("pip install -r requirements.txt");
    assert!(again.nanos < outcome.nanos);
    assert!(log(&again).starts_with("Requirement already satisfied: "));
}

#[test]
fn pip_takes_from_its_cache() {
    let mut machine = Container::of("python:3.12-slim");
    let first = machine.ok("pip install pandas");
    machine.ok("pip uninstall -y pandas numpy python-dateutil six");
    let second = machine.ok("pip install pandas");
    assert!(second < first - 2.0, "{second} is not faster than {first}");
}

#[test]
fn pip_keeps_off_a_distributions_python() {
    let mut machine = Container::of("alpine");
    machine.ok("apk add --no-cache python3 py3-pip");
    let outcome = machine.run("pip install flask");
    assert_eq!(outcome.exit_code, 1);
    assert!(log(&outcome).starts_with("error: externally-managed-environment"));
    machine.ok("python3 -m venv /venv");
    machine.ok("/venv/bin/pip install flask");
    assert!(machine.has("/venv/bin/flask"));
    machine.ok("pip install --break-system-packages flask");
}

#[test]
fn pip_builds_what_has_no_wheel_only_with_a_compiler() {
    let mut machine = Container::of("python:3.12-slim");
    let outcome = machine.run("pip install psycopg2");
    assert_eq!(outcome.exit_code, 1);
    insta::assert_snapshot!(log(&outcome), @r"
    Collecting psycopg2==2.9.13
      Downloading psycopg2-2.9.13-py3-none-any.whl (385 kB)
      error: subprocess-exited-with-error

      × Building wheel for psycopg2 did not run successfully.
      │ exit code: 1
      ╰─> Error: pg_config executable not found.

      note: This error originates from a subprocess, and is likely not a problem with pip.
    ERROR: Failed to build psycopg2
    ");
    machine.ok("apt-get update");
    machine.ok("apt-get install -y --no-install-recommends gcc libpq-dev");
    machine.ok("pip install psycopg2");
}

#[test]
fn pip_without_rights_installs_for_the_user() {
    let mut machine = Container::of("python:3.12-slim");
    machine.spec.cred.uid = 1000;
    machine.spec.cred.gid = 1000;
    let outcome = machine.run("pip install flask");
    assert_eq!(outcome.exit_code, 1, "/root is not his");
    assert!(log(&outcome).starts_with("Defaulting to user installation"));
    machine.spec.env.push(("HOME".into(), "/tmp".into()));
    machine.ok("pip install flask");
    assert!(machine.has("/tmp/.local/bin/flask"));
}
